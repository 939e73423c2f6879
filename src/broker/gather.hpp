#pragma once

// Tasks side by side: each begins at once, in the caller's turn, and runs to its first wait; the caller then waits for
// all of them. Since nothing is queued before a task begins, appends that are started one after the other take their
// places in that order.

#include "base/assert.hpp"

#include <rafka/loop.hpp>
#include <rafka/task.hpp>

#include <coroutine>
#include <exception>

namespace rafka::broker {

class Gather {
public:
    explicit Gather(Loop& loop) : loop_(loop) {}
    ~Gather() { ASSERT(running_ == 0); }
    Gather(const Gather&) = delete;
    Gather& operator=(const Gather&) = delete;

    void start(Task<> task) {
        ++running_;
        detail::resume(run(std::move(task)).handle);
    }

    class [[nodiscard]] Done {
    public:
        explicit Done(Gather& gather) : gather_(gather) {}
        bool await_ready() const { return gather_.running_ == 0; }
        void await_suspend(std::coroutine_handle<> waiter) { gather_.waiter_ = waiter; }
        void await_resume() const {}

    private:
        Gather& gather_;
    };
    // Waits until no task is left. One waiter at a time.
    Done done() { return Done(*this); }

private:
    // Destroys itself at its end.
    struct Root {
        struct promise_type {
            static void* operator new(size_t size) { return detail::allocate_frame(size); }
            static void operator delete(void* frame, size_t size) noexcept { detail::free_frame(frame, size); }
            Root get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
            std::suspend_always initial_suspend() const noexcept { return {}; }
            std::suspend_never final_suspend() const noexcept { return {}; }
            void return_void() const noexcept {}
            [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
        };
        std::coroutine_handle<> handle;
    };

    Root run(Task<> task) {
        co_await std::move(task);
        if (--running_ == 0 && waiter_) loop_.schedule(std::exchange(waiter_, {}));
    }

    Loop& loop_;
    size_t running_ = 0;
    std::coroutine_handle<> waiter_{};
};

}  // namespace rafka::broker
