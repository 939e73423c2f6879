// Memory for frames: bounded, and taken as bytes arrive.

#include "broker/memory.hpp"
#include "sim/machine.hpp"
#include "sim/world.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace rafka;
using namespace rafka::broker;

namespace {
constexpr size_t megabyte = 1 << 20;

struct Small {
    sim::Machine machine{1};
    sim::World world{machine, 1};
    FrameMemory memory{world.loop(), 100 * megabyte};
};

}  // namespace

TEST_CASE("announcing much and sending little costs little") {
    Small small;
    std::vector<Frame> frames(64);
    for (auto& frame : frames) REQUIRE(small.memory.try_grow(frame, 0, 50 * megabyte));
    CHECK(small.memory.used() <= 64 * FrameMemory::first_step);
    frames.clear();
    CHECK(small.memory.used() == 0);
}

TEST_CASE("a block grows with what arrived, and keeps it") {
    Small small;
    Frame frame;
    REQUIRE(small.memory.try_grow(frame, 0, 3 * megabyte));
    auto first = frame.capacity();
    CHECK(first == FrameMemory::first_step);
    for (size_t i = 0; i < first; ++i) frame.data()[i] = std::byte(i * 7);
    REQUIRE(small.memory.try_grow(frame, first, 3 * megabyte));
    CHECK(frame.capacity() == 2 * first);
    bool same = true;
    for (size_t i = 0; i < first; ++i) same &= frame.data()[i] == std::byte(i * 7);
    CHECK(same);
    REQUIRE(small.memory.try_grow(frame, 2 * first, 3 * megabyte));
    REQUIRE(small.memory.try_grow(frame, 2 * megabyte, 3 * megabyte));
    CHECK(frame.capacity() == 3 * megabyte);
}

TEST_CASE("large frames do not keep small ones out") {
    Small small;
    std::vector<Frame> large;
    for (;;) {
        Frame frame;
        if (!small.memory.try_grow(frame, 0, megabyte)) break;
        large.push_back(std::move(frame));
    }
    CHECK(small.memory.used() <= FrameMemory::large_bytes_max);
    Frame frame;
    CHECK(small.memory.try_grow(frame, 0, 1000));
    CHECK(frame.capacity() == 1024);
}

TEST_CASE("one frame of the greatest size always fits") {
    sim::Machine machine(1);
    sim::World world(machine, 1);
    FrameMemory memory(world.loop(), 500 * megabyte);
    Frame frame;
    CHECK(memory.try_grow(frame, 0, 500 * megabyte));
    for (size_t filled = frame.capacity(); filled < 500 * megabyte; filled = frame.capacity()) {
        REQUIRE(memory.try_grow(frame, filled, 500 * megabyte));
    }
    CHECK(frame.capacity() == 500 * megabyte);
}

TEST_CASE("who finds nothing left waits for what others give back, or for the deadline") {
    Small small;
    std::vector<Frame> large;
    for (;;) {
        Frame frame;
        if (!small.memory.try_grow(frame, 0, megabyte)) break;
        large.push_back(std::move(frame));
    }
    Frame frame;
    auto& loop = small.world.loop();
    bool late = small.world.run(small.memory.grow(frame, 0, megabyte, loop.now() + std::chrono::seconds(1)));
    CHECK_FALSE(late);

    Scope scope(loop);
    auto free_one = [](Loop& loop, std::vector<Frame>& frames) -> Task<> {
        co_await sleep_for(loop, std::chrono::milliseconds(100));
        frames.pop_back();
    };
    scope.start(free_one(loop, large));
    auto start = loop.now();
    bool grown = small.world.run(small.memory.grow(frame, 0, megabyte, loop.now() + std::chrono::seconds(1)));
    CHECK(grown);
    CHECK(loop.now() - start >= std::chrono::milliseconds(100));
    CHECK(loop.now() - start < std::chrono::seconds(1));
    small.world.run_until([&] { return scope.size() == 0; });
}
