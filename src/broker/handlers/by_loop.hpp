#pragma once

// The parts of one request, by the loop their partitions live on: each loop is visited once.

#include "wire/arena.hpp"

#include <rafka/engine.hpp>

#include <cstddef>
#include <span>

namespace rafka::broker::handlers {

template <class T>
struct OnLoop {
    Loop* loop = nullptr;
    std::span<T*> items;
};

// `items` have a `key` and stay where they are. The groups lie in the arena.
template <class T>
std::span<OnLoop<T>> by_loop(const Engine& engine, std::span<T> items, wire::Arena& arena) {
    auto groups = arena.make<OnLoop<T>>(items.size());
    auto group_of = arena.make<OnLoop<T>*>(items.size());
    auto places = arena.make<T*>(items.size());
    size_t count = 0;
    std::span<size_t> sizes = arena.make<size_t>(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
        auto* loop = &engine.loop_of(items[i].key);
        size_t group = 0;
        while (group < count && groups[group].loop != loop) ++group;
        if (group == count) groups[count++].loop = loop;
        group_of[i] = &groups[group];
        ++sizes[group];
    }
    groups = groups.first(count);
    for (size_t group = 0; group < count; ++group) {
        groups[group].items = places.first(0);
        places = places.subspan(sizes[group]);
    }
    for (size_t i = 0; i < items.size(); ++i) {
        auto& taken = group_of[i]->items;
        taken = {taken.data(), taken.size() + 1};
        taken.back() = &items[i];
    }
    return groups;
}

}  // namespace rafka::broker::handlers
