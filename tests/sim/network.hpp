#pragma once

// The simulated network: listeners and byte streams. A stream is two pipes, one per direction, each a bounded buffer of
// segments that arrive one after the other, cut at will. Calls that cannot go on return nothing and are made again
// when the machine says so: at a time, or when `ready` names their ticket.

#include "sim/random.hpp"

#include <rafka/io.hpp>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace rafka::sim {

using SocketId = uint64_t;  // 0 is none.
using Ticket = uint64_t;    // Of an operation in flight.

struct NetworkOptions {
    Duration latency_min = std::chrono::microseconds(10);
    Duration latency_max = std::chrono::milliseconds(1);
    size_t buffer_bytes = 64 << 10;  // Per direction.
    double partial_send = 0.2;       // Chance that a send takes less than there is room for.
    double cut = 0.3;                // Chance that bytes are cut into segments, or a receive takes less than there is.
    double reset = 0;                // Chance that a send resets its connection.
    double accept_error = 0;
    NetworkOptions() {}
};

class Network {
public:
    // `ready(ticket, at)`: try that one again, at that time.
    using Ready = std::function<void(Ticket, Instant)>;
    Network(const NetworkOptions& options, Random random, Ready ready)
        : options(options), random_(random), ready_(std::move(ready)) {}

    // Port 0 takes the next free one and writes it into the address. Returns 0 and the listener, or -errno.
    int listen(SocketAddress& address, bool share_port, SocketId& listener);
    // Each returns its result, or nothing: wait. `retry` is then the time of the next attempt, or never.
    std::optional<int> connect(const SocketAddress& to, Instant now, SocketId& socket);
    std::optional<int> accept(SocketId listener, Ticket ticket, SocketAddress* peer, SocketId& socket);
    // `progress` is what this operation has received before (flag::all).
    std::optional<int> receive(SocketId socket, Ticket ticket, std::span<const iovec> buffers, bool all, size_t& progress,
                               Instant now, Instant& retry);
    std::optional<int> send(SocketId socket, Ticket ticket, std::span<const iovec> buffers, Instant now);
    int shutdown(SocketId socket, Instant now);
    // Only the sending direction: the peer reads the end, and may still send.
    int half_close(SocketId socket, Instant now);
    void reset(SocketId socket, Instant now);
    void close(SocketId socket, Instant now);

    size_t socket_count() const { return sockets_.size(); }

    NetworkOptions options;  // May change at any time.

private:
    struct Segment {
        Instant arrival;
        std::vector<std::byte> bytes;
        size_t taken = 0;
    };
    struct Pipe {
        std::deque<Segment> segments;
        size_t bytes = 0;
        Instant last_arrival{};
        std::optional<Instant> end;  // The writer is done.
        std::vector<Ticket> readers, writers;
    };
    struct Socket {
        bool listening = false;
        bool shares_port = false;
        SocketAddress local, peer;
        SocketId other = 0;  // 0: closed.
        Pipe in;
        bool reset = false;
        bool shut = false;      // Both directions, by this side.
        bool no_sends = false;  // The sending direction.
        std::deque<SocketId> backlog;
    };

    Socket* find(SocketId id);
    Duration latency();
    void wake(std::vector<Ticket>& tickets, Instant at);
    void end_pipe_to(SocketId other, Instant now);
    size_t take(Pipe& in, std::span<const iovec> buffers, size_t skip, size_t bytes_max, Instant now);
    void put(Pipe& in, std::span<const iovec> buffers, size_t bytes, Instant now);

    Random random_;
    Ready ready_;
    std::map<SocketId, Socket> sockets_;
    SocketId last_ = 0;
    uint16_t next_port_ = 40000;
};

}  // namespace rafka::sim
