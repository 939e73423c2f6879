#pragma once

// An event that any loop may cause. Lives on one loop, where it is waited for.

#include "base/assert.hpp"

#include <rafka/loop.hpp>
#include <rafka/task.hpp>

#include <atomic>
#include <coroutine>
#include <exception>

namespace rafka::io {

class Bell {
public:
    explicit Bell(Loop& loop) : loop_(loop), heard_(loop) { mail_.traveller = answer().handle; }
    ~Bell() {
        ASSERT(!on_its_way_);
        mail_.traveller.destroy();
    }
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    // From any loop. Whoever waits looks at its condition again: what was done before the ring is seen then.
    void ring() {
        if (&Loop::current() == &loop_) heard_.notify_all();
        else if (!on_its_way_.exchange(true)) loop_.post(mail_);
    }
    // The same on the bell's loop.
    void ring_here() { heard_.notify_all(); }
    // On the bell's loop; also returns at the deadline.
    Event::Wait wait_until(Instant deadline) { return heard_.wait_until(deadline); }

private:
    // Is resumed on the loop whenever the mail arrives.
    struct Messenger {
        struct promise_type {
            static void* operator new(size_t size) { return detail::allocate_frame(size); }
            static void operator delete(void* frame, size_t size) noexcept { detail::free_frame(frame, size); }
            Messenger get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
            std::suspend_always initial_suspend() const noexcept { return {}; }
            std::suspend_always final_suspend() const noexcept { return {}; }
            void return_void() const noexcept {}
            [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
        };
        std::coroutine_handle<> handle;
    };
    Messenger answer() {
        std::suspend_always rest;
        for (;;) {
            on_its_way_ = false;
            heard_.notify_all();
            co_await rest;
        }
    }

    Loop& loop_;
    Event heard_;
    Mail mail_;
    std::atomic<bool> on_its_way_{false};
};

}  // namespace rafka::io
