#include <rafka/loop.hpp>

#include "base/assert.hpp"

#include <algorithm>

namespace rafka {
namespace {

thread_local Loop* running_loop = nullptr;

// Names the loop that runs on this thread for as long as a turn lasts. Turns of several loops may follow each other on
// one thread, in the simulator.
class Entered {
public:
    explicit Entered(Loop& loop) : outer_(std::exchange(running_loop, &loop)) {}
    ~Entered() { running_loop = outer_; }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

private:
    Loop* outer_;
};

constexpr int rounds_max = 4;

bool earlier(const Timer& a, const Timer& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline : a.order < b.order;
}

void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace

Loop::Loop(Io& io, uint32_t index, Duration spin_max)
    : io_(io), index_(index), spin_max_(spin_max), typical_wait_(4 * spin_max) {}

Loop::~Loop() { ASSERT(running_loop != this); }

Loop& Loop::current() {
    ASSERT(running_loop != nullptr);
    return *running_loop;
}

void Loop::run() {
    while (!stopping_.load(std::memory_order_acquire)) turn(never);
}

void Loop::stop() {
    stopping_.store(true, std::memory_order_seq_cst);
    io_.wake();
}

bool Loop::turn(Instant until) {
    Entered entered(*this);
    // Looks first and runs then: whoever turns the loop until something has happened sees it before the next wait.
    Instant limit = ready_.empty() ? std::min(until, next_deadline()) : Instant{};
    for (auto* done = wait(limit); done != nullptr;) {
        // Its frame may go once its waiter runs, which is later.
        ready_.push_back(done->waiter);
        done = done->next;
    }
    take_mail();
    take_due();
    bool ran = false;
    // What they start is run in the same turn, but not so often that operations wait for long.
    for (int round = 0; round < rounds_max && run_ready(); ++round) ran = true;
    return ran;
}

Operation* Loop::wait(Instant limit) {
    if (limit == Instant{}) return io_.poll(limit);
    Instant start{};
    if (spin_max_ > Duration{}) {
        start = io_.now();
        // Looking costs a core; it pays when the next completion is likely to come while we look.
        if (2 * typical_wait_ <= spin_max_) {
            Instant end = std::min(limit, start + 2 * typical_wait_ + std::chrono::microseconds(1));
            do {
                auto* done = io_.poll(Instant{});
                if (done != nullptr || mail_.load(std::memory_order_relaxed) != nullptr ||
                    stopping_.load(std::memory_order_relaxed)) {
                    learn(io_.now() - start);
                    return done;
                }
                pause_briefly();
            } while (io_.now() < end);
        }
    }
    // Either the sender sees that we sleep and wakes us, or we see its mail: both sides write first, then look.
    sleeping_.store(true, std::memory_order_seq_cst);
    bool stay = mail_.load(std::memory_order_seq_cst) != nullptr || stopping_.load(std::memory_order_seq_cst);
    auto* done = io_.poll(stay ? Instant{} : limit);
    sleeping_.store(false, std::memory_order_relaxed);
    if (spin_max_ > Duration{}) learn(io_.now() - start);
    return done;
}

void Loop::learn(Duration waited) { typical_wait_ = (7 * typical_wait_ + std::min(waited, 4 * spin_max_)) / 8; }

bool Loop::run_ready() {
    if (ready_.empty()) return false;
    running_.swap(ready_);
    for (auto handle : running_) detail::resume(handle);
    running_.clear();
    return true;
}

void Loop::post(Mail& mail) {
    auto* head = mail_.load(std::memory_order_relaxed);
    do {
        mail.next = head;
    } while (!mail_.compare_exchange_weak(head, &mail, std::memory_order_seq_cst, std::memory_order_relaxed));
    // The mail may be gone by now: its traveller runs.
    if (sleeping_.load(std::memory_order_seq_cst) && sleeping_.exchange(false, std::memory_order_seq_cst)) io_.wake();
}

void Loop::take_mail() {
    if (mail_.load(std::memory_order_relaxed) == nullptr) return;
    // Senders push in front; the oldest is last.
    Mail* oldest = nullptr;
    for (auto* mail = mail_.exchange(nullptr, std::memory_order_acquire); mail != nullptr;) {
        auto* older = mail->next;
        mail->next = oldest;
        oldest = mail;
        mail = older;
    }
    for (; oldest != nullptr; oldest = oldest->next) ready_.push_back(oldest->traveller);
}

Instant Loop::next_deadline() const { return timers_.empty() ? never : timers_.front()->deadline; }

void Loop::take_due() {
    if (timers_.empty()) return;
    for (auto now = io_.now(); !timers_.empty() && timers_.front()->deadline <= now;) {
        auto* timer = timers_.front();
        remove(*timer);
        ready_.push_back(timer->waiter);
    }
}

void Loop::add(Timer& timer) {
    ASSERT(timer.place == SIZE_MAX);
    timer.order = ++timers_added_;
    timer.place = timers_.size();
    timers_.push_back(&timer);
    rise(timer.place);
}

void Loop::remove(Timer& timer) {
    size_t place = timer.place;
    if (place == SIZE_MAX) return;
    ASSERT(place < timers_.size() && timers_[place] == &timer);
    timer.place = SIZE_MAX;
    auto* last = timers_.back();
    timers_.pop_back();
    if (last == &timer) return;
    timers_[place] = last;
    last->place = place;
    rise(place);
    sink(last->place);
}

void Loop::rise(size_t place) {
    auto* timer = timers_[place];
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (!earlier(*timer, *timers_[parent])) break;
        timers_[place] = timers_[parent];
        timers_[place]->place = place;
        place = parent;
    }
    timers_[place] = timer;
    timer->place = place;
}

void Loop::sink(size_t place) {
    auto* timer = timers_[place];
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= timers_.size()) break;
        if (child + 1 < timers_.size() && earlier(*timers_[child + 1], *timers_[child])) ++child;
        if (!earlier(*timers_[child], *timer)) break;
        timers_[place] = timers_[child];
        timers_[place]->place = place;
        place = child;
    }
    timers_[place] = timer;
    timer->place = place;
}

}  // namespace rafka
