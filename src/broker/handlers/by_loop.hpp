#pragma once

// The parts of one request, by the loop their partitions live on: each loop is visited once.

#include <rafka/engine.hpp>

#include <algorithm>
#include <vector>

namespace rafka::broker::handlers {

template <class T>
struct OnLoop {
    Loop* loop;
    std::vector<T*> items;
};

// `items` have a `key` and stay where they are.
template <class T>
std::vector<OnLoop<T>> by_loop(const Engine& engine, std::vector<T>& items) {
    std::vector<OnLoop<T>> groups;
    for (auto& item : items) {
        auto* loop = &engine.loop_of(item.key);
        auto group = std::find_if(groups.begin(), groups.end(), [&](auto& group) { return group.loop == loop; });
        if (group == groups.end()) group = groups.insert(groups.end(), OnLoop<T>{loop, {}});
        group->items.push_back(&item);
    }
    return groups;
}

}  // namespace rafka::broker::handlers
