#include "base/assert.hpp"
#include "io/backend.hpp"

#include <pthread.h>

#include <csignal>
#include <cstdio>

namespace rafka::io {
namespace {

// Signals are for the thread that made the loops.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_;
};

}  // namespace

LoopThreads::LoopThreads(uint32_t count, Backend backend, Duration spin_max) {
    ASSERT(count > 0);
    auto made = make_io(backend);
    chosen_ = made.chosen;
    sentence_ = std::move(made.sentence);
    if (!made.io) return;
    first_io_ = std::move(made.io);
    first_loop_ = std::make_unique<Loop>(*first_io_, 0, spin_max);
    loops_.resize(count);
    loops_[0] = first_loop_.get();
    good_ = true;
    {
        SignalsBlocked blocked;
        for (uint32_t i = 1; i < count; ++i) {
            threads_.emplace_back([this, i, backend, spin_max] { run_thread(i, backend, spin_max); });
        }
    }
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [&] { return started_ == threads_.size(); });
}

LoopThreads::~LoopThreads() {
    for (size_t i = 1; i < loops_.size(); ++i) {
        if (loops_[i] != nullptr) loops_[i]->stop();
    }
    {
        std::lock_guard guard(mutex_);
        told_to_end_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
}

void LoopThreads::run_thread(uint32_t index, Backend backend, Duration spin_max) {
    char name[16];
    std::snprintf(name, sizeof name, "loop-%u", index);
    pthread_setname_np(pthread_self(), name);
    auto made = make_io(backend);
    std::unique_ptr<Loop> loop;
    if (made.io) loop = std::make_unique<Loop>(*made.io, index, spin_max);
    {
        std::lock_guard guard(mutex_);
        loops_[index] = loop.get();
        if (!loop) {
            good_ = false;
            sentence_ = made.sentence;
        }
        ++started_;
    }
    changed_.notify_all();
    if (loop) loop->run();
    // An Io may still be woken by a loop that is about to end, or by whoever stops it: nobody leaves before everybody
    // has stopped.
    std::unique_lock guard(mutex_);
    ++ended_;
    changed_.notify_all();
    changed_.wait(guard, [this] { return told_to_end_ && ended_ == threads_.size(); });
}

}  // namespace rafka::io
