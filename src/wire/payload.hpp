#pragma once

// A message on its way out: bytes of its own, and between them borrowed pieces that are sent from where they lie. The
// owner keeps it (and what it borrows) until the socket has taken everything, then clears and uses it again.

#include "base/assert.hpp"

#include <rafka/bytes.hpp>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace rafka::wire {

class Payload {
public:
    Payload() = default;
    Payload(Payload&& from) noexcept { swap(from); }
    Payload& operator=(Payload&& from) noexcept {
        Payload(std::move(from)).swap(*this);
        return *this;
    }

    // Room for `count` more bytes of our own, which the caller fills.
    std::byte* extend(size_t count) {
        if (count > capacity_ - size_) enlarge(count);
        auto* at = bytes_.get() + size_;
        size_ += count;
        return at;
    }
    void append(Bytes bytes);
    void borrow(Bytes piece);

    // Bytes of our own so far, and one place among them: for lengths that are known late.
    size_t own_size() const { return size_; }
    std::byte* at(size_t position) { ASSERT(position <= size_); return bytes_.get() + position; }
    // Opens a gap of `count` bytes. No piece was borrowed behind `position`.
    void insert(size_t position, size_t count);

    size_t size() const { return size_ + borrowed_size_; }
    bool empty() const { return size() == 0; }

    // Everything in order, for one gather send. Valid until the payload changes.
    std::vector<Bytes> pieces() const;
    void add_pieces(std::vector<Bytes>& to) const;
    std::vector<std::byte> copy() const;
    // For messages without borrowed pieces.
    Bytes bytes() const { ASSERT(borrowed_.empty()); return {bytes_.get(), size_}; }

    // Keeps the memory unless it is a lot.
    void clear();

private:
    void swap(Payload& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        std::swap(borrowed_, other.borrowed_);
        std::swap(borrowed_size_, other.borrowed_size_);
    }
    void enlarge(size_t count);

    struct Borrowed {
        size_t position;  // It stands before bytes_[position].
        Bytes bytes;
    };
    std::unique_ptr<std::byte[]> bytes_;
    size_t size_ = 0;
    size_t capacity_ = 0;
    std::vector<Borrowed> borrowed_;
    size_t borrowed_size_ = 0;
};

}  // namespace rafka::wire
