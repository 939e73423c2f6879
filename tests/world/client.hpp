#pragma once

// A client inside the simulated world: it speaks the protocol with our own Reader and Writer over simulated sockets.
// One request at a time or several in a row; every failure of the connection is an Errc.

#include "base/endian.hpp"
#include "io/socket.hpp"
#include "protocol/api.hpp"
#include "wire/frame.hpp"
#include "wire/message.hpp"

#include <deque>
#include <vector>

namespace rafka::world {

class Client {
public:
    explicit Client(Loop& loop) : loop_(loop) {}

    Task<Result<>> connect(uint16_t port) {
        SocketAddress address;
        address.ip = {127, 0, 0, 1};
        address.port = port;
        CO_TRY(socket_, co_await io::Socket::connect(loop_.io(), address));
        sent_ = received_ = 0;
        co_return Result<>();
    }
    bool is_connected() const { return socket_.is_open(); }
    Task<> disconnect() {
        if (socket_.is_open()) (void)co_await socket_.close();
    }

    template <class M>
    Task<Result<>> send(M message, int16_t version) {
        wire::Payload payload;
        wire::begin_frame(payload);
        wire::write_request_header(payload, {int16_t(M::schema.key), version, ++sent_, "world"}, M::schema.flexible(version));
        wire::write(payload, message, version);
        wire::end_frame(payload);
        co_return co_await socket_.send_all(payload.bytes());
    }
    // The answer to the oldest request without one. Its views live until forget().
    template <class M>
    Task<Result<M>> receive(int16_t version) {
        std::byte prefix[4];
        CO_CHECKED(co_await socket_.receive_exact(MutableBytes(prefix)));
        auto& frame = frames_.emplace_back(size_t(load_be<int32_t>(prefix)));
        CO_CHECKED(co_await socket_.receive_exact(frame));
        Bytes rest = frame;
        CO_TRY(auto id, wire::read_response_header(rest, protocol::flexible_response_header(M::schema.key, version)));
        if (id != ++received_) co_return fail(Errc::malformed);
        co_return wire::read<M>(rest, arena_, version);
    }
    template <class R, class M>
    Task<Result<R>> call(M message, int16_t version) {
        CO_CHECKED(co_await send(message, version));
        co_return co_await receive<R>(version);
    }
    void forget() {
        frames_.clear();
        arena_.reset();
    }

    template <class T>
    wire::Array<T> one(const T& element) {
        auto array = arena_.make<T>(1);
        array[0] = element;
        return array;
    }
    wire::Arena& arena() { return arena_; }

private:
    Loop& loop_;
    io::Socket socket_;
    wire::Arena arena_;
    std::deque<std::vector<std::byte>> frames_;
    int32_t sent_ = 0;
    int32_t received_ = 0;
};

}  // namespace rafka::world
