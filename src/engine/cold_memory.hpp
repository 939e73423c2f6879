#pragma once

// Memory for reads from files: one per loop, with a bound of its own, so that readers of old records take nothing from
// the tail and cannot take everything. A buffer is a Chunk that is in no log's tail; it comes back when its last pin
// goes, on whichever loop, and some are kept for the next read.

#include "engine/chunks.hpp"
#include "io/bell.hpp"

#include <rafka/loop.hpp>
#include <rafka/task.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rafka::engine {

// What buffers that are out know of it. Goes with the last of them, or with the pool.
struct ColdShared {
    explicit ColdShared(Loop& loop) : freed(loop) {}
    std::atomic<uint64_t> bytes{0};       // Out.
    std::atomic<Chunk*> returned{nullptr};
    std::atomic<uint32_t> users{1};
    std::atomic<uint32_t> waiting{0};
    io::Bell freed;
};

class ColdMemory {
public:
    ColdMemory(Loop& loop, uint64_t bytes_max);
    ~ColdMemory();  // Buffers may be out; the last of them frees what is left.
    ColdMemory(const ColdMemory&) = delete;
    ColdMemory& operator=(const ColdMemory&) = delete;

    // The most a buffer that is kept can hold.
    static constexpr size_t window_max = 1u << 20;

    // One count, the caller's. Null: the bound is reached.
    Chunk* try_take(size_t size);
    // Waits for room. Null: none came for a while, as when clients that hold it do not read.
    Task<Chunk*> take(size_t size);
    // Whether there is room or not.
    Chunk* take_anyway(size_t size);

    uint64_t bytes() const { return shared_->bytes; }

private:
    friend class Chunk;
    static constexpr std::array<size_t, 4> sizes{16u << 10, 64u << 10, 256u << 10, window_max};

    static void give_back(Chunk* chunk);
    static void leave(ColdShared& shared);
    static size_t class_of(size_t size);
    void take_returned();

    Loop& loop_;
    uint64_t bytes_max_;
    ColdShared* shared_;
    std::array<std::vector<Chunk*>, sizes.size()> kept_;
    size_t bytes_kept_ = 0;
};

}  // namespace rafka::engine
