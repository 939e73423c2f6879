#pragma once

// Memory with bounds: aligned buffers for direct I/O, a pool of them, and a budget in bytes. Each belongs to one loop;
// who finds nothing left waits, and that is back-pressure.

#include <rafka/bytes.hpp>
#include <rafka/loop.hpp>

#include <coroutine>
#include <cstddef>
#include <utility>
#include <vector>

namespace rafka::io {

inline constexpr size_t buffer_alignment = 4096;

// An aligned block of memory, not initialised.
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(size_t size, size_t alignment = buffer_alignment);
    Buffer(Buffer&& from) noexcept
        : data_(std::exchange(from.data_, nullptr)), size_(std::exchange(from.size_, 0)), alignment_(from.alignment_) {}
    Buffer& operator=(Buffer&& from) noexcept {
        std::swap(data_, from.data_);
        std::swap(size_, from.size_);
        std::swap(alignment_, from.alignment_);
        return *this;
    }
    ~Buffer();

    explicit operator bool() const { return data_ != nullptr; }
    std::byte* data() const { return data_; }
    size_t size() const { return size_; }
    MutableBytes bytes() const { return {data_, size_}; }
    MutableBytes first(size_t count) const { return bytes().first(count); }

private:
    std::byte* data_ = nullptr;
    size_t size_ = 0;
    size_t alignment_ = 0;
};

// A number of bytes that may be in use at once, given out in the order of asking: a large request is not starved by
// small ones.
class Budget {
public:
    Budget(Loop& loop, size_t bytes_max) : loop_(loop), bytes_max_(bytes_max) {}
    ~Budget();  // Requires that everything is back and nobody waits.
    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;

    // A part of the budget; comes back with the object.
    class [[nodiscard]] Share {
    public:
        Share() = default;
        Share(Share&& from) noexcept : budget_(std::exchange(from.budget_, nullptr)), bytes_(std::exchange(from.bytes_, 0)) {}
        Share& operator=(Share&& from) noexcept {
            std::swap(budget_, from.budget_);
            std::swap(bytes_, from.bytes_);
            return *this;
        }
        ~Share() { release(); }

        size_t bytes() const { return bytes_; }
        void release();

    private:
        friend class Budget;
        friend class BufferPool;
        Share(Budget* budget, size_t bytes) : budget_(budget), bytes_(bytes) {}
        void keep() { budget_ = nullptr; }
        Budget* budget_ = nullptr;
        size_t bytes_ = 0;
    };

    class [[nodiscard]] Take {
    public:
        Take(Budget& budget, size_t bytes) : budget_(budget), bytes_(bytes) {}
        Take(const Take&) = delete;
        bool await_ready() { return budget_.claim(bytes_); }
        void await_suspend(std::coroutine_handle<> waiter);
        Share await_resume() { return Share(&budget_, bytes_); }

    private:
        friend class Budget;
        Budget& budget_;
        size_t bytes_;
        std::coroutine_handle<> waiter_{};
        Take* next_ = nullptr;
    };

    // Waits its turn. More than the whole budget counts as the whole budget: it runs alone.
    Take take(size_t bytes) { return Take(*this, bytes < bytes_max_ ? bytes : bytes_max_); }
    // Empty (0 bytes) when it would have to wait.
    Share try_take(size_t bytes);

    size_t bytes_max() const { return bytes_max_; }
    size_t bytes_used() const { return bytes_used_; }
    bool has_waiting() const { return first_ != nullptr; }

private:
    friend class BufferPool;
    bool claim(size_t bytes);
    void put_back(size_t bytes);

    Loop& loop_;
    size_t bytes_max_;
    size_t bytes_used_ = 0;
    Take* first_ = nullptr;
    Take* last_ = nullptr;
};

// At most `count_max` buffers of one size, made when first needed and kept.
class BufferPool {
public:
    BufferPool(Loop& loop, size_t buffer_size, size_t count_max);
    BufferPool(const BufferPool&) = delete;  // Ends when every buffer is back.
    BufferPool& operator=(const BufferPool&) = delete;

    class [[nodiscard]] Take {
    public:
        explicit Take(BufferPool& pool) : pool_(pool), place_(pool.places_, 1) {}
        bool await_ready() { return place_.await_ready(); }
        void await_suspend(std::coroutine_handle<> waiter) { place_.await_suspend(waiter); }
        Buffer await_resume() { return pool_.taken(place_.await_resume()); }

    private:
        BufferPool& pool_;
        Budget::Take place_;
    };

    // Waits its turn.
    Take take() { return Take(*this); }
    // Empty when it would have to wait.
    Buffer try_take();
    void give_back(Buffer buffer);

    size_t buffer_size() const { return buffer_size_; }
    size_t count_max() const { return places_.bytes_max(); }
    size_t count_taken() const { return places_.bytes_used(); }

private:
    Buffer taken(Budget::Share place);

    Budget places_;  // Counts buffers.
    size_t buffer_size_;
    std::vector<Buffer> free_;
};

}  // namespace rafka::io
