#pragma once

// Io by io_uring: one ring per loop, made on the loop's thread and used on no other. What io_uring does not have
// (listing a directory, record locks, free space) is done by plain calls in submit() and comes back from the next poll().

#include "io/machine.hpp"

#include <memory>

struct io_uring;
struct io_uring_sqe;

namespace rafka::io {

// What happened inside, for metrics: a punt or an overflow is not an error, but costs.
struct UringCounters {
    uint64_t submitted = 0;
    uint64_t enters = 0;          // System calls.
    uint64_t retried = 0;         // Sockets whose kernel was short of memory.
    uint64_t overflowed = 0;      // Times that the completion ring was full.
    uint64_t queue_was_full = 0;  // Times that the submission ring was.
};

class Uring : public Machine {
public:
    // Null, and the errno of the call that failed, where the machine does not allow it.
    static std::unique_ptr<Uring> open(int& error, uint32_t entries = 512);
    ~Uring() override;  // On the thread that opened it. Requires that no operation is in flight.

    void submit(Operation& operation) override;
    void cancel(Operation& operation) override;
    Operation* poll(Instant until) override;
    void wake() override;
    void drop(int file) override;

    const UringCounters& counters() const { return counters_; }

private:
    explicit Uring(std::unique_ptr<io_uring> ring);

    io_uring_sqe& entry();
    void prepare(Operation& operation);
    void prepare_buffers(Operation& operation, io_uring_sqe& entry);
    void arm_wake();
    void reap();
    void on_poll_ready(Operation& operation, int32_t result);
    void on_complete(Operation& operation, int32_t result);
    void finish(Operation& operation, int32_t result);

    std::unique_ptr<io_uring> ring_;
    Chain done_;
    bool has_truncate_ = false;
    bool wake_armed_ = false;
    bool closing_ = false;
    int wake_ = -1;
    uint64_t wake_value_ = 0;
    UringCounters counters_;
};

}  // namespace rafka::io
