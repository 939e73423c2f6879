#pragma once

// Task<T>: a lazy coroutine. It starts when it is awaited, in the expression that makes it, or is given to a Scope
// (loop.hpp). It belongs to whoever holds it, and is never loose.
//
// House rules for g++ 12, each with a test in tests/io/toolchain_test.cpp: awaiters and option structs have
// constructors; no braced temporary, no capturing lambda and no structured binding stands directly on a co_await.

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace rafka {

template <class T = void>
class Task;

namespace detail {

// Frames come from free lists of the running thread, by size class. In src/io/frames.cpp.
void* allocate_frame(size_t size);
void free_frame(void* frame, size_t size) noexcept;

// g++ 12 makes no tail calls under ThreadSanitizer, nor under AddressSanitizer together with UBSan's checks of pointers,
// and a loop of awaits would overflow the stack: there a transfer names the next coroutine and returns to resume().
#if defined(RAFKA_TRAMPOLINE) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline thread_local std::coroutine_handle<> next_transfer{};
inline std::coroutine_handle<> transfer(std::coroutine_handle<> to) noexcept {
    next_transfer = to;
    return std::noop_coroutine();
}
inline void resume(std::coroutine_handle<> handle) {
    auto outer = std::exchange(next_transfer, {});
    for (; handle; handle = std::exchange(next_transfer, {})) handle.resume();
    next_transfer = outer;
}
#else
inline std::coroutine_handle<> transfer(std::coroutine_handle<> to) noexcept { return to; }
inline void resume(std::coroutine_handle<> handle) { handle.resume(); }
#endif

struct PromiseBase {
    std::coroutine_handle<> waiter = std::noop_coroutine();

    static void* operator new(size_t size) { return allocate_frame(size); }
    static void operator delete(void* frame, size_t size) noexcept { free_frame(frame, size); }

    struct Final {
        bool await_ready() const noexcept { return false; }
        template <class P>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<P> done) const noexcept {
            return transfer(done.promise().waiter);
        }
        void await_resume() const noexcept {}
    };
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
    std::optional<T> value;

    Task<T> get_return_object() noexcept;
    template <class U = T>
    void return_value(U&& from) { value.emplace(std::forward<U>(from)); }
    T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const noexcept {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
public:
    using promise_type = detail::Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_(handle) {}
    Task(Task&& from) noexcept : handle_(std::exchange(from.handle_, {})) {}
    Task& operator=(Task&& from) noexcept {
        std::swap(handle_, from.handle_);
        return *this;
    }
    ~Task() { if (handle_) handle_.destroy(); }

    class Awaiter {
    public:
        explicit Awaiter(Handle handle) noexcept : handle_(handle) {}
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) const noexcept {
            handle_.promise().waiter = waiter;
            return detail::transfer(handle_);
        }
        T await_resume() const { return handle_.promise().take(); }

    private:
        Handle handle_;
    };
    Awaiter operator co_await() && noexcept { return Awaiter(handle_); }

private:
    Handle handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace rafka
