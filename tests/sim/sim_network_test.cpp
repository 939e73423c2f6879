#include <doctest/doctest.h>

#include "sim/operations.hpp"

using namespace rafka;
using namespace rafka::sim;

namespace {

struct Pair {
    int listener = -1, client = -1, server = -1;
};

Pair connected(World& world) {
    Pair pair;
    SocketAddress address;
    Operation listen(Code::listen);
    listen.address = &address;
    pair.listener = run(world, listen);
    REQUIRE(pair.listener >= 0);
    REQUIRE(address.port != 0);
    Operation connect(Code::connect);
    connect.address = &address;
    pair.client = run(world, connect);
    Operation accept(Code::accept);
    accept.file = pair.listener;
    accept.address = &address;
    pair.server = run(world, accept);
    REQUIRE(pair.client >= 0);
    REQUIRE(pair.server >= 0);
    return pair;
}

int receive(World& world, int file, std::string& text, size_t size, uint32_t flags = 0) {
    text.resize(size);
    iovec buffer{text.data(), size};
    Operation operation(Code::receive);
    operation.file = file;
    operation.buffers = {&buffer, 1};
    operation.flags = flags;
    int n = run(world, operation);
    text.resize(size_t(std::max(n, 0)));
    return n;
}

int send(World& world, int file, std::string_view text) {
    iovec buffer{const_cast<char*>(text.data()), text.size()};
    Operation operation(Code::send);
    operation.file = file;
    operation.buffers = {&buffer, 1};
    return run(world, operation);
}

void close_all(World& world, const Pair& pair) {
    for (int file : {pair.listener, pair.client, pair.server}) close(world, file);
}

Task<> send_all(Io& io, int file, std::string text) {
    size_t sent = 0;
    while (sent < text.size()) {
        iovec buffer{text.data() + sent, text.size() - sent};
        Operation operation(Code::send);
        operation.file = file;
        operation.buffers = {&buffer, 1};
        int n = co_await Raw(io, operation);
        REQUIRE(n > 0);
        sent += size_t(n);
    }
}

}  // namespace

TEST_CASE("a stream keeps its bytes and their order, however it is cut and however small its buffer is") {
    bool cut = false;
    for (uint64_t seed = 1; seed <= 50; ++seed) {
        MachineOptions options;
        options.network.buffer_bytes = 1 + seed * 20;
        Machine machine(seed, options);
        World world(machine, seed);
        auto pair = connected(world);
        std::string text;
        for (int i = 0; i < 3000; ++i) text += char('a' + i % 26);
        Scope scope(world.loop());
        scope.start(send_all(world.loop().io(), pair.client, text));
        std::string all, piece;
        while (all.size() < text.size()) {
            REQUIRE(receive(world, pair.server, piece, 4000) > 0);
            cut = cut || piece.size() < std::min<size_t>(options.network.buffer_bytes, text.size() - all.size());
            all += piece;
        }
        CHECK(all == text);
        world.run_until([&] { return scope.size() == 0; });
        close_all(world, pair);
        CHECK(machine.network().socket_count() == 0);
        CHECK(machine.descriptor_count() == 0);
    }
    CHECK(cut);
}

TEST_CASE("receive-all waits until its buffers are full") {
    Machine machine(2);
    World world(machine, 2);
    auto pair = connected(world);
    Scope scope(world.loop());
    std::string text(5000, 'x');
    scope.start(send_all(world.loop().io(), pair.client, text + "rest"));
    std::string got;
    CHECK(receive(world, pair.server, got, 5000, flag::all) == 5000);
    CHECK(got == text);
    world.run_until([&] { return scope.size() == 0; });
    machine.network().half_close(machine.socket_of(pair.client), world.loop().now());
    CHECK(receive(world, pair.server, got, 5000, flag::all) == 4);
    CHECK(got == "rest");
    CHECK(receive(world, pair.server, got, 10) == 0);
    // Half closed: the other direction still works.
    CHECK(send(world, pair.server, "z") == 1);
    CHECK(receive(world, pair.client, got, 10) == 1);
    CHECK(send(world, pair.client, "z") == -EPIPE);
    close_all(world, pair);
}

TEST_CASE("a shutdown wakes the receive in flight, and a reset fails both ends") {
    Machine machine(3);
    World world(machine, 3);
    auto pair = connected(world);
    auto receive_one = [](Io& io, int file, int& result) -> Task<> {
        char byte;
        iovec buffer{&byte, 1};
        Operation operation(Code::receive);
        operation.file = file;
        operation.buffers = {&buffer, 1};
        result = co_await Raw(io, operation);
    };
    int result = 99;
    Scope scope(world.loop());
    scope.start(receive_one(world.loop().io(), pair.server, result));
    world.run_for(std::chrono::milliseconds(10));
    CHECK(result == 99);
    CHECK(of_file(world, Code::shutdown, pair.server) == 0);
    world.run_until([&] { return scope.size() == 0; });
    CHECK(result == 0);
    std::string got;
    CHECK(receive(world, pair.client, got, 1) == 0);
    close_all(world, pair);

    pair = connected(world);
    scope.start(receive_one(world.loop().io(), pair.server, result));
    world.run_for(std::chrono::milliseconds(10));
    machine.network().reset(machine.socket_of(pair.client), world.loop().now());
    world.run_until([&] { return scope.size() == 0; });
    CHECK(result == -ECONNRESET);
    CHECK(send(world, pair.client, "x") == -ECONNRESET);
    close_all(world, pair);
}

TEST_CASE("closing with bytes unread resets the peer; a port without a listener refuses") {
    Machine machine(4);
    World world(machine, 4);
    auto pair = connected(world);
    CHECK(send(world, pair.client, "unread") > 0);
    close(world, pair.server);
    std::string got;
    CHECK(receive(world, pair.client, got, 1) == -ECONNRESET);
    SocketAddress nowhere;
    nowhere.port = 9;
    Operation connect(Code::connect);
    connect.address = &nowhere;
    CHECK(run(world, connect) == -ECONNREFUSED);
    close(world, pair.client);
    close(world, pair.listener);
}

TEST_CASE("what waits for a peer ends when it is canceled, exactly once") {
    for (uint64_t seed = 1; seed <= 50; ++seed) {
        Machine machine(seed);
        World world(machine, seed);
        auto pair = connected(world);
        auto& io = world.loop().io();
        Cancel cancel(io);
        auto accept = [](Io& io, int file, Cancel& cancel, std::optional<Errc>& errc) -> Task<> {
            SocketAddress peer;
            Operation operation(Code::accept);
            operation.file = file;
            operation.address = &peer;
            auto accepted = co_await Await(io, operation, &cancel);
            if (!accepted) errc = accepted.error();
        };
        std::optional<Errc> errc;
        Scope scope(world.loop());
        scope.start(accept(io, pair.listener, cancel, errc));
        world.run_for(std::chrono::microseconds(seed * 20));
        cancel.fire();
        CHECK(world.run_until([&] { return scope.size() == 0; }));
        CHECK(errc == Errc::canceled);
        close_all(world, pair);
    }
}
