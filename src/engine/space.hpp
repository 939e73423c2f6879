#pragma once

// How much of the file system the logs claim ahead of their data. One for all loops of an engine; the numbers are shared
// and approximate, since others use the file system too.

#include <rafka/io.hpp>

#include <atomic>
#include <cstdint>

namespace rafka::engine {

// The next step of a log: doubles while the last one did not last `patience`, within what is allowed. Multiples of the
// block size.
uint64_t allocation_step(uint64_t last_step, Duration last_lasted, uint64_t step_min, uint64_t step_max);

class Space {
public:
    // What may be claimed now of `wanted`, at least `needed`: all claims together stay below half of what is free.
    uint64_t grant(uint64_t wanted, uint64_t needed) const;
    void claim(int64_t bytes) { claimed_.fetch_add(bytes, std::memory_order_relaxed); }
    void release(int64_t bytes) { claim(-bytes); }
    int64_t claimed() const { return claimed_.load(std::memory_order_relaxed); }

    // True once per interval: the caller asks the file system and calls saw().
    bool due(Instant now);
    void saw(uint64_t usable_bytes) { usable_.store(usable_bytes, std::memory_order_relaxed); }

    // False once the file system has refused fallocate: files then grow as they are written.
    bool allocates() const { return allocates_.load(std::memory_order_relaxed); }
    // True for the first to say so.
    bool stop_allocating() { return allocates_.exchange(false, std::memory_order_relaxed); }

private:
    std::atomic<int64_t> claimed_{0};
    std::atomic<uint64_t> usable_{UINT64_MAX};
    std::atomic<int64_t> next_look_{0};
    std::atomic<bool> allocates_{true};
};

}  // namespace rafka::engine
