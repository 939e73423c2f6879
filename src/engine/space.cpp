#include "engine/space.hpp"

#include "engine/chunks.hpp"

#include <algorithm>

namespace rafka::engine {
namespace {
constexpr Duration patience = std::chrono::seconds(10);
constexpr Duration look_interval = std::chrono::seconds(1);
}  // namespace

uint64_t allocation_step(uint64_t last_step, Duration last_lasted, uint64_t step_min, uint64_t step_max) {
    auto step = last_step == 0 ? step_min : last_lasted < patience ? last_step * 2 : last_step / 2;
    return block_ceil(std::clamp(step, step_min, step_max));
}

uint64_t Space::grant(uint64_t wanted, uint64_t needed) const {
    auto usable = usable_.load(std::memory_order_relaxed);
    auto claimed = uint64_t(std::max<int64_t>(0, this->claimed()));
    // What is claimed is no longer free, so the whole of it is usable + claimed.
    auto limit = usable / 2 + claimed / 2;
    auto left = limit > claimed ? limit - claimed : 0;
    return std::max(needed, std::min(wanted, block_floor(left)));
}

bool Space::due(Instant now) {
    auto at = now.since_start.count();
    auto next = next_look_.load(std::memory_order_relaxed);
    return at >= next && next_look_.compare_exchange_strong(next, at + look_interval.count(), std::memory_order_relaxed);
}

}  // namespace rafka::engine
