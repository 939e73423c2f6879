#include <rafka/loop.hpp>

#include "base/assert.hpp"

namespace rafka {

Event::~Event() { ASSERT(first_ == nullptr); }

void Event::notify_all() {
    while (notify_one()) {}
}

bool Event::notify_one() {
    auto* wait = first_;
    if (wait == nullptr) return false;
    unlink(*wait);
    wait->notified_ = true;
    // Its deadline may have come in this turn: then it is already on its way, and only learns of its luck.
    bool timed = wait->timer_.deadline != never;
    if (timed && wait->timer_.place == SIZE_MAX) return true;
    loop_.remove(wait->timer_);
    loop_.schedule(wait->timer_.waiter);
    return true;
}

void Event::unlink(Wait& wait) {
    (wait.previous_ ? wait.previous_->next_ : first_) = wait.next_;
    (wait.next_ ? wait.next_->previous_ : last_) = wait.previous_;
    wait.next_ = wait.previous_ = nullptr;
    wait.waiting_ = false;
}

void Event::Wait::await_suspend(std::coroutine_handle<> waiter) {
    timer_.waiter = waiter;
    waiting_ = true;
    previous_ = event_.last_;
    (previous_ ? previous_->next_ : event_.first_) = this;
    event_.last_ = this;
    if (timer_.deadline != never) event_.loop_.add(timer_);
}

bool Event::Wait::await_resume() {
    if (waiting_) event_.unlink(*this);
    return notified_;
}

// The frame at the bottom of a task that nobody awaits; it ends itself.
struct Scope::Root {
    struct promise_type {
        static void* operator new(size_t size) { return detail::allocate_frame(size); }
        static void operator delete(void* frame, size_t size) noexcept { detail::free_frame(frame, size); }
        Root get_return_object() noexcept { return Root{std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    };
    std::coroutine_handle<> handle;
};

Scope::~Scope() { ASSERT(size_ == 0); }

Scope::Root Scope::run(Task<> task) {
    {
        Task<> work = std::move(task);
        co_await std::move(work);
    }  // Whoever waits for the scope finds the frame gone.
    if (--size_ == 0) done_.notify_all();
}

void Scope::start(Task<> task) {
    ++size_;
    loop_.schedule(run(std::move(task)).handle);
}

Task<> Scope::drained() {
    while (size_ > 0) co_await done_.wait();
}

}  // namespace rafka
