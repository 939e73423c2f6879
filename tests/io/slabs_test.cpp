#include "io/slabs.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

using namespace rafka;
using io::Slabs;

TEST_CASE("blocks of slabs are apart, aligned, and used again") {
    Slabs slabs(256 << 10);
    std::vector<Slabs::Block> taken;
    std::set<std::byte*> distinct;
    for (int i = 0; i < 20; ++i) {
        taken.push_back(slabs.take());
        auto* data = taken.back().data;
        CHECK(reinterpret_cast<uintptr_t>(data) % slabs.block_size() == 0);
        CHECK(distinct.insert(data).second);
        std::memset(data, i, slabs.block_size());
    }
    for (int i = 0; i < 20; ++i) {
        CHECK(taken[size_t(i)].data[0] == std::byte(i));
        CHECK(taken[size_t(i)].data[slabs.block_size() - 1] == std::byte(i));
    }
    CHECK(slabs.slab_count() == 3);
    slabs.give_back(taken[7]);
    CHECK(slabs.take().data == taken[7].data);
    CHECK(slabs.slab_count() == 3);
    for (auto block : taken) slabs.give_back(block);
    CHECK(slabs.slab_count() == 1);  // For the next one.
    slabs.give_back(slabs.take());
    CHECK(slabs.slab_count() == 1);
}

TEST_CASE("a block may be as large as its slab, and come back from another thread") {
    Slabs slabs(Slabs::slab_size);
    auto one = slabs.take(), other = slabs.take();
    CHECK(one.data != other.data);
    std::memset(one.data, 1, Slabs::slab_size);
    std::thread([&] {
        slabs.give_back(one);
        slabs.give_back(other);
    }).join();
    CHECK(slabs.slab_count() == 1);
}
