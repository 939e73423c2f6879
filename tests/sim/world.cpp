#include "sim/world.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cstdio>

namespace rafka::sim {

World::World(Machine& machine, uint64_t seed, uint32_t loop_count) : machine_(machine), random_(seed) {
    ASSERT(loop_count > 0 && loop_count < 64);
    for (uint32_t i = 0; i < loop_count; ++i) {
        ios_.push_back(&machine.add_io());
        loops_.push_back(std::make_unique<Loop>(*ios_.back(), i));
        pointers_.push_back(loops_.back().get());
    }
}

World::~World() = default;

bool World::step() {
    auto index = random_.below(loops_.size());
    if (loops_[index]->turn(Instant{})) {
        idle_ = 0;
        machine_.clock().advance(Duration(random_.below(5000)));  // Running takes time, too.
        return true;
    }
    idle_ |= uint64_t(1) << index;
    if (idle_ != (uint64_t(1) << loops_.size()) - 1) return true;
    idle_ = 0;
    return advance();
}

bool World::advance() {
    auto to = never;
    for (auto* io : ios_) to = std::min(to, io->next_due());
    for (auto& loop : loops_) to = std::min(to, loop->next_deadline());
    if (to == never) return false;
    auto& clock = machine_.clock();
    clock.advance_to(std::max(to, clock.now()));
    return true;
}

void World::run_for(Duration time) {
    auto end = machine_.clock().now() + time;
    while (machine_.clock().now() < end) {
        if (!step()) {
            machine_.clock().advance_to(end);
            return;
        }
    }
}

void World::must_end(bool ended) {
    if (!ended) std::fputs("the simulated world stands still: a task waits for what never comes\n", stderr);
    ASSERT(ended);
}

}  // namespace rafka::sim
