#include "io/buffers.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <new>

namespace rafka::io {

Buffer::Buffer(size_t size, size_t alignment)
    : data_(static_cast<std::byte*>(::operator new(size, std::align_val_t(alignment)))), size_(size), alignment_(alignment) {}

Buffer::~Buffer() {
    if (data_ != nullptr) ::operator delete(data_, std::align_val_t(alignment_));
}

Budget::~Budget() { ASSERT(bytes_used_ == 0 && first_ == nullptr); }

bool Budget::claim(size_t bytes) {
    if (first_ != nullptr || bytes > bytes_max_ - bytes_used_) return false;
    bytes_used_ += bytes;
    return true;
}

void Budget::put_back(size_t bytes) {
    ASSERT(bytes_used_ >= bytes);
    bytes_used_ -= bytes;
    while (first_ != nullptr && first_->bytes_ <= bytes_max_ - bytes_used_) {
        auto* next = first_;
        first_ = next->next_;
        if (first_ == nullptr) last_ = nullptr;
        bytes_used_ += next->bytes_;
        loop_.schedule(next->waiter_);
    }
}

void Budget::Take::await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    (budget_.last_ ? budget_.last_->next_ : budget_.first_) = this;
    budget_.last_ = this;
}

Budget::Share Budget::try_take(size_t bytes) {
    bytes = std::min(bytes, bytes_max_);
    return claim(bytes) ? Share(this, bytes) : Share();
}

void Budget::Share::release() {
    if (budget_ != nullptr) std::exchange(budget_, nullptr)->put_back(std::exchange(bytes_, 0));
}

BufferPool::BufferPool(Loop& loop, size_t buffer_size, size_t count_max) : places_(loop, count_max), buffer_size_(buffer_size) {
    ASSERT(count_max > 0);
    free_.reserve(count_max);
}

Buffer BufferPool::taken(Budget::Share place) {
    place.keep();
    if (free_.empty()) return Buffer(buffer_size_);
    auto buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
}

Buffer BufferPool::try_take() {
    auto place = places_.try_take(1);
    return place.bytes() == 1 ? taken(std::move(place)) : Buffer();
}

void BufferPool::give_back(Buffer buffer) {
    ASSERT(buffer.size() == buffer_size_);
    free_.push_back(std::move(buffer));
    places_.put_back(1);
}

}  // namespace rafka::io
