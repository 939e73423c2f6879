#pragma once

// Memory of one request and its answer: handed out by moving a pointer, given back all at once. Owned by a connection
// or a request, on one loop; after a few requests it allocates nothing more.

#include "base/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace rafka::wire {

class Arena {
public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // Elements with their default values.
    template <class T>
    std::span<T> make(size_t count) {
        static_assert(std::is_trivially_destructible_v<T>);
        if (count == 0) return {};
        auto* first = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
        for (size_t i = 0; i < count; ++i) new (first + i) T{};
        return {first, count};
    }

    // Copies into a larger array; the old one stays as waste until reset.
    template <class T>
    std::span<T> grow(std::span<T> old, size_t count) {
        static_assert(std::is_trivially_copyable_v<T>);
        ASSERT(count >= old.size());
        auto larger = make<T>(count);
        if (!old.empty()) std::memcpy(static_cast<void*>(larger.data()), old.data(), old.size_bytes());
        return larger;
    }

    std::string_view copy(std::string_view text) {
        if (text.empty()) return {};
        auto* to = static_cast<char*>(allocate(text.size(), 1));
        std::memcpy(to, text.data(), text.size());
        return {to, text.size()};
    }

    size_t used() const { return used_; }
    void reset();

private:
    void* allocate(size_t bytes, size_t alignment) {
        auto at = (next_ + alignment - 1) & ~(alignment - 1);
        if (at + bytes > end_) {
            add_block(bytes + alignment);
            at = (next_ + alignment - 1) & ~(alignment - 1);
        }
        next_ = at + bytes;
        used_ += bytes;
        return reinterpret_cast<void*>(at);
    }
    void add_block(size_t bytes_min);

    struct Block {
        std::unique_ptr<std::byte[]> bytes;
        size_t size = 0;
    };
    std::vector<Block> blocks_;  // The last one is being used.
    uintptr_t next_ = 0;
    uintptr_t end_ = 0;
    size_t used_ = 0;
};

// An array whose length is not known beforehand: push, then take the span.
template <class T>
class ArrayBuilder {
public:
    explicit ArrayBuilder(Arena& arena, size_t expected = 8) : arena_(arena), room_(arena.make<T>(expected)) {}

    T& push(const T& element = T{}) {
        if (size_ == room_.size()) room_ = arena_.grow(room_, room_.empty() ? 8 : room_.size() * 2);
        return room_[size_++] = element;
    }
    // Valid until the next push.
    T& back() { return room_[size_ - 1]; }
    size_t size() const { return size_; }
    std::span<T> take() const { return room_.first(size_); }

private:
    Arena& arena_;
    std::span<T> room_;
    size_t size_ = 0;
};

}  // namespace rafka::wire
