#include "every_io.hpp"

#include "io/address.hpp"
#include "io/socket.hpp"

#include <string>
#include <vector>

using namespace rafka;
using namespace rafka::io;
using namespace std::chrono_literals;

namespace {

#define REQUIRE_OK(...)                                    \
    do {                                                   \
        auto&& required = (__VA_ARGS__);                    \
        REQUIRE_MESSAGE(required.has_value(), to_text(required.error())); \
    } while (false)

Task<> echo(Socket socket) {
    std::vector<std::byte> bytes(10'000);
    for (;;) {
        auto count = co_await socket.receive(bytes);
        if (!count || *count == 0) break;
        auto sent = co_await socket.send_all(Bytes(bytes).first(*count));
        if (!sent) break;
    }
    (void)co_await socket.close();
}

Task<> serve(Listener& listener, Scope& connections, Cancel& stop, Errc& ended) {
    for (;;) {
        auto socket = co_await listener.accept(&stop);
        if (!socket) {
            ended = socket.error();
            break;
        }
        CHECK(socket->peer().port != 0);
        connections.start(echo(std::move(*socket)));
    }
}

Task<> receive_pattern(Socket& socket, size_t size, size_t& wrong) {
    std::vector<std::byte> back(size);
    auto received = co_await socket.receive_exact(back);
    REQUIRE_OK(received);
    for (size_t i = 0; i < size; ++i) wrong += back[i] != std::byte(i * 7 + i / 1000);
}

// Sends far more than the socket's buffers hold, in many pieces, while the echo comes back.
Task<> talk(Loop& loop, SocketAddress address) {
    auto connected = co_await Socket::connect(loop.io(), address);
    REQUIRE_OK(connected);
    auto socket = std::move(*connected);
    constexpr size_t size = 8'000'000;
    std::vector<std::byte> bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = std::byte(i * 7 + i / 1000);
    std::vector<iovec> pieces;
    for (size_t at = 0; at < size; at += 1000) pieces.push_back({bytes.data() + at, 1000});
    size_t wrong = 0;
    Scope scope(loop);
    scope.start(receive_pattern(socket, size, wrong));
    REQUIRE_OK(co_await socket.send_all(std::span<iovec>(pieces)));
    co_await scope.drained();
    CHECK(wrong == 0);
    REQUIRE_OK(co_await socket.shutdown());
    REQUIRE_OK(co_await socket.close());
}

Task<> echo_over(Loop& loop) {
    auto opened = co_await Listener::open(loop.io(), parse_address("127.0.0.1", 0).value());
    REQUIRE_OK(opened);
    auto listener = std::move(*opened);
    CHECK(listener.address().port != 0);
    Cancel stop(loop.io());
    Errc ended{};
    Scope scope(loop);
    scope.start(serve(listener, scope, stop, ended));
    co_await talk(loop, listener.address());
    co_await talk(loop, listener.address());
    stop.fire();
    co_await scope.drained();
    CHECK(ended == Errc::canceled);
    REQUIRE_OK(co_await listener.close());
}

struct Pair {
    Socket client, server;
};

Task<Pair> make_pair(Io& io) {
    auto opened = co_await Listener::open(io, parse_address("127.0.0.1", 0).value());
    auto listener = std::move(opened.value());
    auto client = co_await Socket::connect(io, listener.address());
    auto server = co_await listener.accept();
    Pair pair;
    pair.client = std::move(client.value());
    pair.server = std::move(server.value());
    (void)co_await listener.close();
    co_return pair;
}

Task<> receive_into(Socket& socket, MutableBytes into, Cancel* cancel, Result<>& out, size_t& received, bool& done) {
    out = co_await socket.receive_exact(into, cancel, &received);
    done = true;
}

Task<> partial_receive(Loop& loop, bool by_cancel) {
    auto pair = co_await make_pair(loop.io());
    std::vector<std::byte> bytes(10);
    Result<> result;
    size_t received = 0;
    bool done = false;
    Cancel cancel(loop.io());
    Scope scope(loop);
    scope.start(receive_into(pair.server, bytes, &cancel, result, received, done));
    REQUIRE_OK(co_await pair.client.send_all(as_bytes("abc")));
    co_await sleep_for(loop, 5ms);
    REQUIRE_OK(co_await pair.client.send_all(as_bytes("def")));
    co_await sleep_for(loop, 5ms);
    CHECK_FALSE(done);
    if (by_cancel) cancel.fire();
    else (void)co_await pair.client.shutdown();
    co_await scope.drained();
    CHECK(done);
    CHECK(result.error() == (by_cancel ? Errc::canceled : Errc::closed));
    CHECK(received == 6);
    CHECK(as_text(Bytes(bytes).first(6)) == "abcdef");
    (void)co_await pair.client.close();
    (void)co_await pair.server.close();
}

Task<> shutdown_wakes(Loop& loop) {
    auto pair = co_await make_pair(loop.io());
    std::vector<std::byte> bytes(10);
    Result<> result;
    size_t received = 0;
    bool done = false;
    Scope scope(loop);
    scope.start(receive_into(pair.server, bytes, nullptr, result, received, done));
    co_await sleep_for(loop, 2ms);
    CHECK_FALSE(done);
    REQUIRE_OK(co_await pair.server.shutdown());
    co_await scope.drained();
    CHECK(result.error() == Errc::closed);
    auto to_closed = co_await pair.server.send_all(as_bytes("x"));
    CHECK(to_closed.error() == Errc::connection_reset);
    (void)co_await pair.client.close();
    (void)co_await pair.server.close();
}

Task<> refusals(Io& io) {
    auto first = co_await Listener::open(io, parse_address("127.0.0.1", 0).value());
    REQUIRE_OK(first);
    auto second = co_await Listener::open(io, first->address());
    CHECK(second.error() == Errc::address_in_use);
    auto address = first->address();
    REQUIRE_OK(co_await first->close());
    auto refused = co_await Socket::connect(io, address);
    CHECK(refused.error() == Errc::connection_reset);
    Cancel fired(io);
    fired.fire();
    auto never_begun = co_await Socket::connect(io, address, &fired);
    CHECK(never_begun.error() == Errc::canceled);
}

Task<> every_address(Io& io) {
    auto opened = co_await Listener::open(io, parse_address("", 0).value());
    REQUIRE_OK(opened);
    auto client = co_await Socket::connect(io, parse_address("127.0.0.1", opened->address().port).value());
    REQUIRE_OK(client);
    auto server = co_await opened->accept();
    REQUIRE_OK(server);
    CHECK_FALSE(server->peer().is_v6);
    CHECK(server->peer().to_text().starts_with("127.0.0.1:"));
}

}  // namespace

TEST_CASE("an echo server returns every byte in order, and accept ends when cancelled") {
    test::on_every_io([](Loop& loop) { block_on(loop, echo_over(loop)); });
}

TEST_CASE("a receive takes what has come when its peer is done or it is cancelled") {
    test::on_every_io([](Loop& loop) {
        block_on(loop, partial_receive(loop, false));
        block_on(loop, partial_receive(loop, true));
    });
}

TEST_CASE("shutdown wakes a receive in flight, and sending after it fails") {
    test::on_every_io([](Loop& loop) { block_on(loop, shutdown_wakes(loop)); });
}

TEST_CASE("a taken port, a refused connection and a fired cancel are told apart") {
    test::on_every_io([](Loop& loop) { block_on(loop, refusals(loop.io())); });
}

TEST_CASE("listening on every address takes IPv4 too, and shows its peers as such") {
    test::on_every_io([](Loop& loop) { block_on(loop, every_address(loop.io())); });
}

TEST_CASE("addresses have the usual text") {
    CHECK(parse_address("127.0.0.1", 9092).value().to_text() == "127.0.0.1:9092");
    CHECK(parse_address("[::1]", 1).value().to_text() == "[::1]:1");
    CHECK(parse_address("localhost", 2).value().to_text() == "127.0.0.1:2");
    CHECK_FALSE(parse_address("no.such", 2).has_value());
}
