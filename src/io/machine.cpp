#include "io/machine.hpp"

#include "base/assert.hpp"

#include <sys/random.h>

#include <ctime>

namespace rafka::io {

Instant Machine::now() const {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return {std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)};
}

Timestamp Machine::wall() const {
    timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return {int64_t(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000};
}

uint64_t Machine::random() {
    if (random_left_ == 0) {
        // Up to 256 bytes come whole and without interruption.
        ASSERT(getrandom(random_.data(), sizeof random_, 0) == ssize_t(sizeof random_));
        random_left_ = random_.size();
    }
    return random_[--random_left_];
}

bool Chain::remove(Operation& operation) {
    Operation* previous = nullptr;
    for (auto* at = first_; at != nullptr; previous = at, at = at->next) {
        if (at != &operation) continue;
        (previous ? previous->next : first_) = at->next;
        if (last_ == at) last_ = previous;
        return true;
    }
    return false;
}

}  // namespace rafka::io
