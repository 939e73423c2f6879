#include "broker/listener.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "broker/connection.hpp"

namespace rafka::broker {

namespace {

// How long to wait where the machine or our own limit lets no more in.
constexpr Duration pause = std::chrono::milliseconds(100);

Task<> serve(Shard& shard, int socket, SocketAddress peer, std::string_view listener) {
    Connection connection(shard, io::Socket(shard.loop.io(), socket, peer), listener);
    co_await connection.serve();
}

Task<> adopt(Shard& shard, int socket, SocketAddress peer, std::string_view listener) {
    shard.tasks.start(serve(shard, socket, peer, listener));
    co_return;
}

}  // namespace

Listener::~Listener() { ASSERT(!socket_.is_open()); }

Task<Result<SocketAddress>> Listener::open(SocketAddress address) {
    CO_TRY(auto socket, co_await io::Listener::open(home_.io(), address));
    socket_ = std::move(socket);
    co_return socket_.address();
}

void Listener::stop() {
    stopping_.fire();
    wakes_.notify_all();
}

Task<> Listener::close() {
    if (!socket_.is_open()) co_return;
    auto closed = co_await socket_.close();
    if (!closed) log::debug("listening socket not closed: listener={} reason=\"{}\"", name_, to_text(closed.error()));
}

Task<> Listener::run(std::span<const std::unique_ptr<Shard>> shards) {
    size_t turn = 0;
    log::Limiter lines(1, std::chrono::seconds(10));
    while (!stopping_.fired()) {
        if (connection_count_ >= connections_max_) {
            co_await wakes_.wait_until(home_.now() + pause);
            continue;
        }
        auto socket = co_await socket_.accept(&stopping_);
        if (!socket) {
            if (stopping_.fired()) break;
            // A client that was gone before we came is no reason to pause.
            if (socket.error() == Errc::connection_reset) continue;
            uint64_t suppressed = 0;
            if (lines.allow(home_.now().since_start, suppressed)) {
                log::warn("connection not accepted: listener={} reason=\"{}\"", name_, to_text(socket.error()));
            }
            co_await wakes_.wait_until(home_.now() + pause);
            continue;
        }
        ++connection_count_;
        auto& shard = *shards[turn++ % shards.size()];
        co_await call_on(shard.loop, adopt(shard, socket->release(), socket->peer(), name_));
    }
    co_await close();
}

}  // namespace rafka::broker
