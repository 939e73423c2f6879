#pragma once

// Accepts connections at one address, on the home loop, and hands them to the shards in turn: so every loop has as many
// as the others, also when they are few.

#include "broker/shard.hpp"
#include "io/socket.hpp"

#include <rafka/loop.hpp>

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rafka::broker {

class Listener {
public:
    // At `connections_max` connections of all listeners together, who comes next waits.
    Listener(Loop& home, std::string name, std::atomic<size_t>& connection_count, size_t connections_max)
        : home_(home), name_(std::move(name)), connection_count_(connection_count), connections_max_(connections_max),
          stopping_(home.io()), wakes_(home) {}
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    const std::string& name() const { return name_; }

    // Binds; clients that come now wait until run(). The bound address is the result.
    Task<Result<SocketAddress>> open(SocketAddress address);
    // Accepts until stop(), then closes the socket.
    Task<> run(std::span<const std::unique_ptr<Shard>> shards);
    void stop();
    Task<> close();

private:
    Loop& home_;
    std::string name_;
    std::atomic<size_t>& connection_count_;
    size_t connections_max_;
    Cancel stopping_;
    Event wakes_;
    io::Listener socket_;
};

}  // namespace rafka::broker
