#pragma once

// The loops of one Machine on one thread: turns in an order the seed chooses, and when nobody has anything to do, time
// moves on to the next completion or deadline.

#include "sim/machine.hpp"

#include <rafka/loop.hpp>

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace rafka::sim {

class World {
public:
    World(Machine& machine, uint64_t seed, uint32_t loop_count = 1);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    Machine& machine() { return machine_; }
    Loop& loop(size_t index = 0) { return *loops_[index]; }
    std::span<Loop* const> loops() const { return pointers_; }

    // One loop's turn, or a step of time. False: nothing will ever happen again.
    bool step();
    // Steps until the condition holds. False: it did not within `time_max` of virtual time, or nothing happens any more.
    template <class Condition>
    bool run_until(Condition condition, Duration time_max = std::chrono::minutes(60)) {
        auto end = machine_.clock().now() + time_max;
        while (!condition()) {
            if (machine_.clock().now() > end || !step()) return false;
        }
        return true;
    }
    // For that long, whatever happens.
    void run_for(Duration time);

    // Runs a task on the first loop until it is done. It is a bug if it is not within an hour of virtual time.
    template <class T>
    T run(Task<T> task, Loop* where = nullptr) {
        std::optional<T> result;
        Scope scope(where ? *where : loop());
        scope.start(keep(std::move(task), result));
        must_end(run_until([&] { return result.has_value() && scope.size() == 0; }));
        return std::move(*result);
    }
    void run(Task<> task, Loop* where = nullptr) {
        Scope scope(where ? *where : loop());
        scope.start(std::move(task));
        must_end(run_until([&] { return scope.size() == 0; }));
    }

private:
    template <class T>
    static Task<> keep(Task<T> task, std::optional<T>& result) {
        result.emplace(co_await std::move(task));
    }
    static void must_end(bool ended);
    bool advance();

    Machine& machine_;
    Random random_;
    std::vector<Sim*> ios_;
    std::vector<std::unique_ptr<Loop>> loops_;
    std::vector<Loop*> pointers_;
    uint64_t idle_ = 0;  // A bit for each loop that had nothing to do since the last time anyone had.
};

}  // namespace rafka::sim
