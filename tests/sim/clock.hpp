#pragma once

// Virtual time. It moves only when it is told to; the wall clock runs beside the monotonic one and may jump.

#include "base/assert.hpp"

#include <rafka/io.hpp>

namespace rafka::sim {

class Clock {
public:
    explicit Clock(Timestamp wall) : wall_at_start_(wall) {}

    Instant now() const { return now_; }
    Timestamp wall() const {
        auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now_.since_start - start);
        return {wall_at_start_.ms + passed.count()};
    }
    void advance_to(Instant to) {
        ASSERT(to >= now_);
        now_ = to;
    }
    void advance(Duration by) { now_ = now_ + by; }
    void jump_wall(std::chrono::milliseconds by) { wall_at_start_.ms += by.count(); }

private:
    // Not zero, since a poll until Instant{} is one that does not wait.
    static constexpr Duration start = std::chrono::seconds(1);
    Instant now_{start};
    Timestamp wall_at_start_;
};

}  // namespace rafka::sim
