#pragma once

// Io where io_uring is forbidden: epoll tells when sockets are ready, a few threads make the file system's calls. One
// per loop; lives on the loop's thread.

#include "io/machine.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace rafka::io {

class Epoll : public Machine {
public:
    explicit Epoll(uint32_t worker_count = 4);
    ~Epoll() override;  // Waits for the file operations that run.

    void submit(Operation& operation) override;
    void cancel(Operation& operation) override;
    Operation* poll(Instant until) override;
    void wake() override;
    void drop(int file) override;

private:
    // What is known of a socket. Edge-triggered: a flag stays until a call says that it was wrong.
    struct Socket {
        bool watched = false;
        bool readable = true;
        bool writable = true;
        bool hung_up = false;
        Chain readers;
        Chain writers;
    };

    void begin(Operation& operation);
    bool attempt(Operation& operation, Socket& socket);
    bool try_connect(Operation& operation);
    bool try_accept(Operation& operation);
    bool try_receive(Operation& operation, Socket& socket);
    bool try_send(Operation& operation, Socket& socket);
    void advance(Chain& waiting, Socket& socket);
    void ask_again(int file);
    void on_ready(int file, uint32_t events);
    Socket& socket_of(int file);
    void forget(int file);
    void watch(int file, Socket& socket);
    void finish(Operation& operation, int32_t result);
    int wait(Instant until);

    void give_to_workers(Operation& operation);
    void work();
    void collect();

    int epoll_ = -1;
    int wake_ = -1;
    bool precise_ = true;  // The kernel has epoll_pwait2.
    std::vector<Socket> sockets_;  // By descriptor.
    Chain done_;

    std::mutex mutex_;
    std::condition_variable work_arrived_;
    Chain queued_;
    Chain worked_;
    bool stopping_ = false;
    std::atomic<bool> has_worked_{false};
    uint32_t worker_count_;
    std::vector<std::thread> workers_;
};

}  // namespace rafka::io
