#include "every_io.hpp"

#include <atomic>
#include <vector>

using namespace rafka;
using namespace rafka::io;
using namespace std::chrono_literals;

namespace {

// On each loop a number that only its own thread may touch: ThreadSanitizer judges.
struct Counters {
    std::vector<uint64_t> values;
};

Task<uint64_t> increment(Counters& counters) {
    co_return ++counters.values[Loop::current().index()];
}

Task<> travel(LoopThreads& loops, Counters& counters, size_t hops, uint64_t& total) {
    auto home = Loop::current().index();
    for (size_t i = 0; i < hops; ++i) {
        auto& to = loops[(home + 1 + i) % loops.count()];
        auto value = co_await call_on(to, increment(counters));
        CHECK(value > 0);
        CHECK(Loop::current().index() == home);
    }
    total += hops;
}

Task<> travellers(LoopThreads& loops, Counters& counters, size_t hops, uint64_t& total) {
    Scope scope(Loop::current());
    for (int i = 0; i < 20; ++i) scope.start(travel(loops, counters, hops, total));
    co_await scope.drained();
}

Task<> everywhere(LoopThreads& loops, Counters& counters, size_t hops, std::vector<uint64_t>& totals) {
    Scope scope(loops[0]);
    for (uint32_t i = 0; i < loops.count(); ++i) {
        scope.start(call_on(loops[i], travellers(loops, counters, hops, totals[i])));
    }
    co_await scope.drained();
}

Task<std::vector<uint64_t>> arrivals(Loop& to, uint64_t count) {
    // Mail from one sender arrives in the order in which it was sent.
    struct Note {
        static Task<> down(uint64_t number, std::vector<uint64_t>& out) {
            out.push_back(number);
            co_return;
        }
    };
    std::vector<uint64_t> order;
    Scope scope(Loop::current());
    for (uint64_t i = 0; i < count; ++i) scope.start(call_on(to, Note::down(i, order)));
    co_await scope.drained();
    co_return order;
}

void on_loops(Duration spin_max, const std::function<void(LoopThreads&)>& body) {
    for (auto backend : {Backend::uring, Backend::epoll}) {
        LoopThreads loops(3, backend, spin_max);
        if (!loops.is_good()) {
            CHECK(backend == Backend::uring);
            MESSAGE(loops.sentence());
            continue;
        }
        REQUIRE(loops.count() == 3);
        INFO(loops.sentence());
        body(loops);
    }
}

}  // namespace

TEST_CASE("tasks travel between three loops, thousands of times, and come home with their result") {
    for (auto spin_max : {Duration{}, Duration{50us}}) {
        on_loops(spin_max, [](LoopThreads& loops) {
            Counters counters;
            counters.values.resize(loops.count() * 64);
            std::vector<uint64_t> totals(loops.count());
            block_on(loops[0], everywhere(loops, counters, 300, totals));
            for (auto total : totals) CHECK(total == 20 * 300);
            uint64_t sum = 0;
            for (auto value : counters.values) sum += value;
            CHECK(sum == 3 * 20 * 300);
        });
    }
}

TEST_CASE("mail between two loops keeps its order") {
    on_loops({}, [](LoopThreads& loops) {
        auto order = block_on(loops[0], arrivals(loops[1], 5000));
        REQUIRE(order.size() == 5000);
        for (uint64_t i = 0; i < order.size(); ++i) CHECK(order[i] == i);
    });
}

TEST_CASE("a loop that sleeps without a deadline is woken by mail and by stop") {
    on_loops({}, [](LoopThreads& loops) {
        for (int i = 0; i < 20; ++i) {
            block_on(loops[0], [](Loop& loop) -> Task<> { co_await sleep_for(loop, 1ms); }(loops[0]));
            Counters counters;
            counters.values.resize(loops.count());
            CHECK(block_on(loops[0], call_on(loops[2], increment(counters))) == 1);
        }
    });
}

TEST_CASE("the number of loops and the time to spin follow the cores") {
    CHECK(default_loop_count(1) == 1);
    CHECK(default_loop_count(2) == 1);
    CHECK(default_loop_count(4) == 3);
    CHECK(default_loop_count(16) == 15);
    CHECK(usable_cores() >= 1);
    CHECK(default_spin_max(1, 1) == Duration{});
    CHECK(default_spin_max(3, 2) == Duration{});
    CHECK(default_spin_max(1, 2) > Duration{});
}
