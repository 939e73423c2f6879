#pragma once

// One loop per thread: it runs what is ready, hands operations to its Io, sleeps until something completes, a timer is
// due or another loop sends mail. Every object belongs to one loop; what crosses goes by call_on(), and for the time of
// the visit the sender is suspended.

#include <rafka/io.hpp>
#include <rafka/task.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

namespace rafka {

// A deadline in a loop's heap. Lives in the frame that waits.
struct Timer {
    Instant deadline{};
    std::coroutine_handle<> waiter{};
    size_t place = SIZE_MAX;  // In the heap; SIZE_MAX: not in it.
    uint64_t order = 0;       // Among equal deadlines, first come first served.
};

// A coroutine on its way to another loop.
struct Mail {
    Mail* next = nullptr;
    std::coroutine_handle<> traveller{};
};

class Loop {
public:
    // `spin_max`: how long to look for completions before sleeping. Zero where cores are oversubscribed.
    Loop(Io& io, uint32_t index, Duration spin_max = {});
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    Io& io() { return io_; }
    uint32_t index() const { return index_; }
    Instant now() const { return io_.now(); }

    // The loop that runs on this thread; requires that one does.
    static Loop& current();

    // Runs turns until stop(). On the thread that owns the Io.
    void run();
    // From any thread.
    void stop();
    // One turn: polls once, waiting at most until `until` and not at all if something is ready, then runs what is ready.
    // True if anything ran. For tests and Sim.
    bool turn(Instant until);
    // What turn() would wait for: the next deadline, or never.
    Instant next_deadline() const;
    bool has_ready() const { return !ready_.empty(); }

    // Resumes it in this or the next turn, in order. On this loop's thread.
    void schedule(std::coroutine_handle<> handle) { ready_.push_back(handle); }
    // Resumes mail.traveller on this loop. From any thread.
    void post(Mail& mail);

    void add(Timer& timer);
    void remove(Timer& timer);  // Nothing if it is not in the heap.

private:
    Operation* wait(Instant limit);
    void learn(Duration waited);
    bool run_ready();
    void take_due();
    void take_mail();
    void rise(size_t place);
    void sink(size_t place);

    Io& io_;
    uint32_t index_;
    Duration spin_max_;
    Duration typical_wait_;  // A moving average, learned.
    std::vector<std::coroutine_handle<>> ready_;
    std::vector<std::coroutine_handle<>> running_;
    std::vector<Timer*> timers_;
    uint64_t timers_added_ = 0;
    std::atomic<Mail*> mail_{nullptr};
    std::atomic<bool> sleeping_{false};
    std::atomic<bool> stopping_{false};
};

// Waits until a point in time.
class [[nodiscard]] SleepUntil {
public:
    SleepUntil(Loop& loop, Instant deadline) : loop_(loop) { timer_.deadline = deadline; }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
        timer_.waiter = waiter;
        loop_.add(timer_);
    }
    void await_resume() const {}

private:
    Loop& loop_;
    Timer timer_;
};
inline SleepUntil sleep_until(Loop& loop, Instant deadline) { return SleepUntil(loop, deadline); }
inline SleepUntil sleep_for(Loop& loop, Duration time) { return SleepUntil(loop, loop.now() + time); }

// Lets everything else that is ready run first.
class [[nodiscard]] Yield {
public:
    explicit Yield(Loop& loop) : loop_(loop) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) { loop_.schedule(waiter); }
    void await_resume() const {}

private:
    Loop& loop_;
};

// Something that may happen, on one loop. It has no memory: a waiter looks at its condition, waits, and looks again.
class Event {
public:
    explicit Event(Loop& loop) : loop_(loop) {}
    ~Event();  // Requires that nobody waits.
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    // Wakes those that wait now, in order.
    void notify_all();
    // Wakes the one that waits longest. False: nobody waits.
    bool notify_one();

    class [[nodiscard]] Wait {
    public:
        Wait(Event& event, Instant deadline) : event_(event) { timer_.deadline = deadline; }
        Wait(const Wait&) = delete;
        bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<> waiter);
        bool await_resume();

    private:
        friend class Event;
        Event& event_;
        Timer timer_;
        Wait* next_ = nullptr;
        Wait* previous_ = nullptr;
        bool waiting_ = false;
        bool notified_ = false;
    };
    // True: notified. False: the deadline came first.
    Wait wait_until(Instant deadline) { return Wait(*this, deadline); }
    Wait wait() { return Wait(*this, never); }

private:
    void unlink(Wait& wait);
    Loop& loop_;
    Wait* first_ = nullptr;
    Wait* last_ = nullptr;
};

// Owns tasks that run beside their starter. Closes only when all of them are done.
class Scope {
public:
    explicit Scope(Loop& loop) : loop_(loop), done_(loop) {}
    ~Scope();  // Requires that it is empty.
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    // The task begins in this or the next turn. Its arguments must live as long as it does: by value.
    void start(Task<> task);
    size_t size() const { return size_; }
    // Waits until no task is left. Ending them is the caller's business (Cancel, Event, shutdown of a socket).
    Task<> drained();

private:
    struct Root;
    Root run(Task<> task);
    Loop& loop_;
    Event done_;
    size_t size_ = 0;
};

namespace detail {
template <class T>
Task<> keep_result(Task<T> work, std::optional<T>& to) {
    T result = co_await std::move(work);
    to.emplace(std::move(result));
}
}  // namespace detail

// Turns the loop until the task is done. From outside of the loop, on its thread: in main() and in tests.
template <class T>
T block_on(Loop& loop, Task<T> work) {
    Scope scope(loop);
    if constexpr (std::is_void_v<T>) {
        scope.start(std::move(work));
        while (scope.size() > 0) loop.turn(never);
    } else {
        std::optional<T> result;
        scope.start(detail::keep_result<T>(std::move(work), result));
        while (scope.size() > 0) loop.turn(never);
        return std::move(*result);
    }
}

// Moves the coroutine that awaits it to another loop.
class [[nodiscard]] Hop {
public:
    explicit Hop(Loop& to) : to_(to) {}
    Hop(const Hop&) = delete;
    bool await_ready() const { return &Loop::current() == &to_; }
    void await_suspend(std::coroutine_handle<> traveller) {
        mail_.traveller = traveller;
        to_.post(mail_);
    }
    void await_resume() const {}

private:
    Loop& to_;
    Mail mail_;
};

// Runs a task on another loop and comes back with its result. On the same loop it costs nothing but the await.
template <class T>
Task<T> call_on(Loop& to, Task<T> work) {
    Loop& home = Loop::current();
    co_await Hop(to);
    if constexpr (std::is_void_v<T>) {
        co_await std::move(work);
        co_await Hop(home);
    } else {
        T result = co_await std::move(work);
        co_await Hop(home);
        co_return result;
    }
}

}  // namespace rafka
