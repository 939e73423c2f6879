#include "broker/memory.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace rafka::broker {

namespace {

std::byte* allocate(size_t size) {
    auto* block = static_cast<std::byte*>(std::malloc(size));
    if (!block) throw std::bad_alloc();  // Terminates: out of memory is not survived.
    return block;
}

}  // namespace

void Frame::reset() {
    if (memory_) memory_->give_back(*this);
    size = 0;
}

FrameMemory::FrameMemory(Loop& loop, size_t frame_bytes_max)
    : small_(loop, small_bytes_max), large_(loop, std::max(large_bytes_max, frame_bytes_max)) {}

FrameMemory::~FrameMemory() {
    ASSERT(used() == 0);
    for (auto& blocks : kept_) {
        for (auto* block : blocks) std::free(block);
    }
}

size_t FrameMemory::wanted(const Frame& frame, size_t filled, size_t total) {
    if (total <= small_frame_bytes_max) {
        for (auto size : block_sizes) {
            if (total <= size) return size;
        }
    }
    return std::min(total, std::max({first_step, filled * 2, frame.capacity_}));
}

bool FrameMemory::try_grow(Frame& frame, size_t filled, size_t total) {
    ASSERT(filled <= frame.capacity_);
    ASSERT(filled <= total);
    bool is_small = total <= small_frame_bytes_max;
    auto& share = is_small ? small_ : large_;
    size_t capacity = wanted(frame, filled, total);
    if (capacity <= frame.capacity_) return true;
    size_t more = capacity - frame.charged_;
    if (share.used + more > share.bytes_max) return false;
    share.used += more;
    frame.memory_ = this;
    frame.small_ = is_small;
    frame.charged_ = capacity;
    resize(frame, capacity);
    return true;
}

Task<bool> FrameMemory::grow(Frame& frame, size_t filled, size_t total, Instant deadline) {
    auto& share = total <= small_frame_bytes_max ? small_ : large_;
    // A newcomer does not overtake those that wait; a frame that has begun may, since its end frees memory.
    if ((share.waiting == 0 || filled > 0) && try_grow(frame, filled, total)) co_return true;
    ++share.waiting;
    bool grown = false;
    while (!grown) {
        bool notified = co_await share.freed.wait_until(deadline);
        grown = try_grow(frame, filled, total);
        if (!notified) break;
    }
    --share.waiting;
    co_return grown;
}

void FrameMemory::resize(Frame& frame, size_t capacity) {
    std::byte* block = nullptr;
    if (frame.small_) {
        ASSERT(!frame.data_);
        for (size_t i = 0; i < block_sizes.size(); ++i) {
            if (block_sizes[i] != capacity || kept_[i].empty()) continue;
            block = kept_[i].back();
            kept_[i].pop_back();
        }
        if (!block) block = allocate(capacity);
    } else if (!frame.data_) {
        block = allocate(capacity);
    } else {
        // Moves pages, not bytes, at these sizes.
        block = static_cast<std::byte*>(std::realloc(frame.data_, capacity));
        if (!block) throw std::bad_alloc();
    }
    frame.data_ = block;
    frame.capacity_ = capacity;
}

void FrameMemory::give_back(Frame& frame) {
    auto& share = frame.small_ ? small_ : large_;
    ASSERT(share.used >= frame.charged_);
    share.used -= frame.charged_;
    bool kept = false;
    for (size_t i = 0; frame.small_ && i < block_sizes.size(); ++i) {
        if (block_sizes[i] != frame.capacity_ || kept_[i].size() >= kept_max) continue;
        kept_[i].push_back(frame.data_);
        kept = true;
    }
    if (!kept) std::free(frame.data_);
    frame.memory_ = nullptr;
    frame.data_ = nullptr;
    frame.capacity_ = frame.charged_ = 0;
    if (share.waiting > 0) share.freed.notify_all();
}

}  // namespace rafka::broker
