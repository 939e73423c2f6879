#pragma once

// Memory for what clients send, per loop. Frames are received into blocks; a large frame's block grows as its bytes
// arrive, so that announcing much and sending little costs little. All blocks of a loop together stay within a bound:
// who needs more than is left waits, in order, which stops its connection from reading. Small frames have a share of
// their own, so that large ones never keep the many out.

#include <rafka/bytes.hpp>
#include <rafka/loop.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace rafka::broker {

class FrameMemory;

// One frame's bytes. Movable; gives its memory back at the end.
class Frame {
public:
    Frame() = default;
    Frame(Frame&& from) noexcept { swap(from); }
    Frame& operator=(Frame&& from) noexcept { swap(from); return *this; }
    ~Frame() { reset(); }

    std::byte* data() { return data_; }
    size_t capacity() const { return capacity_; }
    // The frame itself; at most the capacity.
    size_t size = 0;
    Bytes bytes() const { return {data_, size}; }
    void reset();

private:
    friend class FrameMemory;
    void swap(Frame& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(data_, other.data_);
        std::swap(capacity_, other.capacity_);
        std::swap(charged_, other.charged_);
        std::swap(small_, other.small_);
        std::swap(size, other.size);
    }

    FrameMemory* memory_ = nullptr;
    std::byte* data_ = nullptr;
    size_t capacity_ = 0;
    size_t charged_ = 0;
    bool small_ = false;
};

class FrameMemory {
public:
    // 64 KiB of records, a usual size of a producer's batches, and what stands around them.
    static constexpr size_t small_frame_bytes_max = 72 << 10;
    static constexpr size_t small_bytes_max = 64 << 20;
    static constexpr size_t large_bytes_max = 160 << 20;
    // What a large frame takes before its bytes have arrived.
    static constexpr size_t first_step = 512 << 10;

    // `frame_bytes_max`: socket.request.max.bytes. One frame of that size always fits.
    FrameMemory(Loop& loop, size_t frame_bytes_max);
    ~FrameMemory();
    FrameMemory(const FrameMemory&) = delete;
    FrameMemory& operator=(const FrameMemory&) = delete;

    // Gives `frame` room for `filled` bytes and some more, at most `total`, keeping the first `filled`. False: no memory
    // came free before `deadline`.
    Task<bool> grow(Frame& frame, size_t filled, size_t total, Instant deadline);
    // The same at once, or not at all.
    bool try_grow(Frame& frame, size_t filled, size_t total);

    size_t used() const { return small_.used + large_.used; }
    // Somebody waits: a frame that makes no progress is then worth giving up.
    bool scarce() const { return small_.waiting + large_.waiting > 0; }

private:
    friend class Frame;
    struct Share {
        Share(Loop& loop, size_t bytes_max) : bytes_max(bytes_max), freed(loop) {}
        size_t bytes_max;
        size_t used = 0;
        size_t waiting = 0;
        Event freed;
    };
    // Blocks of these sizes are kept for the next frame.
    static constexpr std::array<size_t, 4> block_sizes{1 << 10, 4 << 10, 16 << 10, small_frame_bytes_max};
    static constexpr size_t kept_max = 32;  // Of each size.

    static size_t wanted(const Frame& frame, size_t filled, size_t total);
    void resize(Frame& frame, size_t capacity);
    void give_back(Frame& frame);

    Share small_;
    Share large_;
    std::array<std::vector<std::byte*>, block_sizes.size()> kept_;
};

}  // namespace rafka::broker
