#include <doctest/doctest.h>

#include "answers.hpp"
#include "base/endian.hpp"
#include "load_client.hpp"
#include "requests.hpp"
#include "sim/world.hpp"

#include <algorithm>

using namespace rafka;
using namespace rafka::bench;
using namespace std::chrono_literals;

namespace {

// A server with one connection that answers at once, but for one request that it answers late, or never.
struct Stall {
    int at;
    Duration length;  // `never_again`: it and all after it stay without an answer.
};
constexpr Duration never_again = Duration::max();

Task<> serve(Loop& loop, io::Listener& listener, Stall stall) {
    auto socket = co_await listener.accept();
    REQUIRE(socket.has_value());
    std::vector<std::byte> prefix(4), body;
    auto answer = produce_answer();
    for (int number = 0;; ++number) {
        auto got = co_await socket->receive_exact(prefix);
        if (!got) break;
        body.resize(size_t(load_be<int32_t>(prefix.data())));
        got = co_await socket->receive_exact(body);
        if (!got) break;
        if (number >= stall.at && stall.length == never_again) continue;
        if (number == stall.at) co_await sleep_for(loop, stall.length);
        std::copy_n(body.data() + 4, 4, answer.data() + answer_correlation_at);
        got = co_await socket->send_all(Bytes(answer));
        if (!got) break;
    }
    co_await socket->close();
}

Task<> measure(Loop& loop, Load load, Stall stall, LoadResult& result) {
    auto listener = co_await io::Listener::open(loop.io(), loopback(0));
    REQUIRE(listener.has_value());
    load.address = listener->address();
    Scope server(loop);
    server.start(serve(loop, *listener, stall));
    co_await run_load(loop, load, result);
    co_await server.drained();
    co_await listener->close();
}

LoadResult run(const Load& load, Stall stall) {
    sim::MachineOptions options;
    options.latency_max = options.network.latency_max = 50us;
    options.slow = 0;
    sim::Machine machine(1, options);
    sim::World world(machine, 1);
    LoadResult result;
    world.run(measure(world.loop(), load, stall, result));
    return result;
}

// 1000 requests a second; the second to the third of them are measured.
Load open_loop() {
    Load load;
    load.topic = "t";
    load.requests_per_second = 1000;
    load.in_flight = 4;
    load.warmup_seconds = 1;
    load.seconds = 2;
    return load;
}

size_t count_from(const LoadResult& result, Duration time) {
    auto micros = uint32_t(time / 1us);
    return size_t(std::count_if(result.micros.begin(), result.micros.end(), [&](uint32_t one) { return one >= micros; }));
}

}  // namespace

TEST_CASE("a stall counts for every request that was meant to be sent during it") {
    auto result = run(open_loop(), {1500, 500ms});
    CHECK(result.problem == "");
    CHECK(result.micros.size() == 2000);
    CHECK(result.unanswered == 0);
    CHECK(result.percentile(1) >= 499'000);
    // Of the 500 that came due, one every millisecond, half had to wait for half of it or longer.
    CHECK(count_from(result, 250ms) >= 245);
    CHECK(count_from(result, 250ms) <= 300);
    CHECK(result.percentile(0.5) < 50'000);
}

TEST_CASE("an answer after the end counts, for time but not for throughput") {
    auto result = run(open_loop(), {2900, 1s});
    CHECK(result.problem == "");
    CHECK(result.micros.size() == 2000);
    CHECK(result.requests < 1910);
    CHECK(count_from(result, 900ms) >= 99);
}

TEST_CASE("a request that is never answered, or never sent, counts with the time it waited") {
    auto result = run(open_loop(), {2000, never_again});
    CHECK(result.micros.size() == 2000);
    CHECK(result.unanswered == 1000);
    CHECK(count_from(result, 2s) == 1000);
}

TEST_CASE("what happens in the warm-up is not measured") {
    auto result = run(open_loop(), {100, 300ms});
    CHECK(result.micros.size() == 2000);
    CHECK(result.percentile(1) < 100'000);
}

TEST_CASE("a closed loop sends the next request after the answer") {
    auto load = open_loop();
    load.requests_per_second = 0;
    load.in_flight = 1;
    auto result = run(load, {-1, 0ms});
    CHECK(result.problem == "");
    CHECK(result.requests > 1000);
    CHECK(result.requests == result.micros.size());
    load.requests_max = 10;
    load.warmup_seconds = 0;
    CHECK(run(load, {-1, 0ms}).requests == 10);
}
