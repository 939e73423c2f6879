#include "sim/network.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rafka::sim {
namespace {

size_t total(std::span<const iovec> buffers) {
    size_t n = 0;
    for (auto& buffer : buffers) n += buffer.iov_len;
    return n;
}

}  // namespace

Network::Socket* Network::find(SocketId id) {
    auto found = sockets_.find(id);
    return found == sockets_.end() ? nullptr : &found->second;
}

Duration Network::latency() {
    return Duration(random_.between(uint64_t(options.latency_min.count()), uint64_t(options.latency_max.count())));
}

void Network::wake(std::vector<Ticket>& tickets, Instant at) {
    for (auto ticket : std::exchange(tickets, {})) ready_(ticket, at);
}

int Network::listen(SocketAddress& address, bool share_port, SocketId& listener) {
    if (address.port == 0) address.port = next_port_++;
    for (auto& [id, socket] : sockets_) {
        if (!socket.listening || socket.local.port != address.port) continue;
        if (!share_port || !socket.shares_port) return -EADDRINUSE;
    }
    listener = ++last_;
    auto& socket = sockets_[listener];
    socket.listening = true;
    socket.shares_port = share_port;
    socket.local = address;
    return 0;
}

std::optional<int> Network::connect(const SocketAddress& to, Instant now, SocketId& id) {
    std::vector<SocketId> listeners;
    for (auto& [found, socket] : sockets_) {
        if (socket.listening && !socket.shut && socket.local.port == to.port) listeners.push_back(found);
    }
    if (listeners.empty()) return -ECONNREFUSED;
    id = ++last_;
    auto there = ++last_;
    auto& near = sockets_[id];
    auto& far = sockets_[there];
    near.local = far.peer = to;
    near.local.port = next_port_++;
    far.peer.port = near.local.port;
    near.peer = far.local = to;
    near.other = there;
    far.other = id;
    auto& accepting = sockets_.at(listeners[random_.below(listeners.size())]);
    accepting.backlog.push_back(there);
    wake(accepting.in.readers, now + latency());
    return 0;
}

std::optional<int> Network::accept(SocketId id, Ticket ticket, SocketAddress* peer, SocketId& accepted) {
    auto* listener = find(id);
    if (listener == nullptr) return -EBADF;
    if (!listener->listening || listener->shut) return -EINVAL;
    if (listener->backlog.empty()) {
        listener->in.readers.push_back(ticket);
        return {};
    }
    if (random_.chance(options.accept_error)) return random_.chance(0.5) ? -EMFILE : -ECONNABORTED;
    accepted = listener->backlog.front();
    listener->backlog.pop_front();
    if (peer != nullptr) *peer = sockets_.at(accepted).peer;
    return 0;
}

size_t Network::take(Pipe& in, std::span<const iovec> buffers, size_t skip, size_t bytes_max, Instant now) {
    size_t done = 0;
    for (auto& buffer : buffers) {
        if (skip >= buffer.iov_len) {
            skip -= buffer.iov_len;
            continue;
        }
        auto* to = static_cast<std::byte*>(buffer.iov_base) + skip;
        auto room = buffer.iov_len - skip;
        skip = 0;
        while (room > 0 && done < bytes_max && !in.segments.empty() && in.segments.front().arrival <= now) {
            auto& segment = in.segments.front();
            auto n = std::min({room, segment.bytes.size() - segment.taken, bytes_max - done});
            std::memcpy(to, segment.bytes.data() + segment.taken, n);
            to += n;
            room -= n;
            done += n;
            segment.taken += n;
            in.bytes -= n;
            if (segment.taken == segment.bytes.size()) in.segments.pop_front();
        }
    }
    return done;
}

std::optional<int> Network::receive(SocketId id, Ticket ticket, std::span<const iovec> buffers, bool all, size_t& progress,
                                    Instant now, Instant& retry) {
    auto* socket = find(id);
    if (socket == nullptr || socket->listening) return -EBADF;
    if (socket->reset) return -ECONNRESET;
    auto wanted = total(buffers) - progress;
    auto bytes_max = wanted;
    if (!all && wanted > 1 && random_.chance(options.cut)) bytes_max = random_.between(1, wanted);
    auto n = take(socket->in, buffers, progress, bytes_max, now);
    progress += n;
    if (n > 0) wake(socket->in.writers, now + latency());
    if (progress > 0 && (!all || n == wanted)) return int(progress);
    if (socket->shut || wanted == 0) return int(progress);
    if (!socket->in.segments.empty()) {
        retry = std::max(socket->in.segments.front().arrival, now);
        socket->in.readers.push_back(ticket);  // A reset may come earlier.
        return {};
    }
    if (socket->in.end) {
        if (*socket->in.end <= now) return int(progress);
        retry = *socket->in.end;
    }
    socket->in.readers.push_back(ticket);
    return {};
}

void Network::put(Pipe& in, std::span<const iovec> buffers, size_t bytes, Instant now) {
    size_t at = 0, from = 0;
    Segment segment;
    auto flush = [&] {
        if (segment.bytes.empty()) return;
        in.last_arrival = std::max(in.last_arrival, now + latency());
        segment.arrival = in.last_arrival;
        in.bytes += segment.bytes.size();
        in.segments.push_back(std::exchange(segment, {}));
    };
    // A few cuts anywhere, sometimes after one byte.
    std::vector<size_t> cuts;
    while (bytes > 1 && cuts.size() < 8 && random_.chance(options.cut)) {
        cuts.push_back(random_.chance(0.3) ? 1 : random_.between(1, bytes - 1));
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.push_back(bytes);
    auto cut = cuts.begin();
    for (size_t i = 0; i < buffers.size() && at < bytes;) {
        auto n = std::min(buffers[i].iov_len - from, *cut - at);
        auto* data = static_cast<const std::byte*>(buffers[i].iov_base) + from;
        segment.bytes.insert(segment.bytes.end(), data, data + n);
        at += n;
        from += n;
        if (from == buffers[i].iov_len) ++i, from = 0;
        while (cut != cuts.end() && at == *cut) flush(), ++cut;
    }
    flush();
}

std::optional<int> Network::send(SocketId id, Ticket ticket, std::span<const iovec> buffers, Instant now) {
    auto* socket = find(id);
    if (socket == nullptr || socket->listening) return -EBADF;
    if (socket->reset) return -ECONNRESET;
    if (socket->shut || socket->no_sends) return -EPIPE;
    auto* other = find(socket->other);
    if (other == nullptr) return -EPIPE;
    auto bytes = total(buffers);
    if (random_.chance(options.reset)) {
        reset(id, now);
        return -ECONNRESET;
    }
    if (other->shut) return int(bytes);  // Nobody reads it.
    auto room = options.buffer_bytes - std::min(options.buffer_bytes, other->in.bytes);
    if (bytes > 0 && room == 0) {
        other->in.writers.push_back(ticket);
        return {};
    }
    bytes = std::min(bytes, room);
    if (bytes > 1 && random_.chance(options.partial_send)) bytes = random_.between(1, bytes);
    put(other->in, buffers, bytes, now);
    wake(other->in.readers, other->in.segments.empty() ? now : std::max(now, other->in.segments.front().arrival));
    return int(bytes);
}

void Network::end_pipe_to(SocketId id, Instant now) {
    auto* other = find(id);
    if (other == nullptr || other->in.end) return;
    other->in.last_arrival = std::max(other->in.last_arrival, now + latency());
    other->in.end = other->in.last_arrival;
    wake(other->in.readers, *other->in.end);
}

int Network::shutdown(SocketId id, Instant now) {
    auto* socket = find(id);
    if (socket == nullptr) return -EBADF;
    socket->shut = true;
    wake(socket->in.readers, now);
    if (socket->listening) {
        for (auto waiting : std::exchange(socket->backlog, {})) {
            reset(waiting, now);
            sockets_.erase(waiting);
        }
        return 0;
    }
    if (socket->other == 0 || socket->reset) return -ENOTCONN;
    if (auto* other = find(socket->other)) wake(other->in.writers, now);  // Its own blocked sends among them.
    wake(socket->in.writers, now);
    end_pipe_to(socket->other, now);
    return 0;
}

int Network::half_close(SocketId id, Instant now) {
    auto* socket = find(id);
    if (socket == nullptr) return -EBADF;
    socket->no_sends = true;
    end_pipe_to(socket->other, now);
    return 0;
}

void Network::reset(SocketId id, Instant now) {
    auto* socket = find(id);
    if (socket == nullptr) return;
    auto end = [&](Socket& side) {
        side.reset = true;
        side.in.segments.clear();
        side.in.bytes = 0;
        wake(side.in.readers, now);
        wake(side.in.writers, now);
    };
    end(*socket);
    if (auto* other = find(socket->other)) end(*other);
}

void Network::close(SocketId id, Instant now) {
    auto* socket = find(id);
    if (socket == nullptr) return;
    if (socket->listening) {
        shutdown(id, now);
    } else if (auto* other = find(socket->other)) {
        // Bytes that nobody will read turn an orderly end into a reset, as TCP does.
        if (socket->in.bytes > 0) reset(id, now);
        end_pipe_to(socket->other, now);
        wake(socket->in.writers, now);
        other->other = 0;
    }
    sockets_.erase(id);
}

}  // namespace rafka::sim
