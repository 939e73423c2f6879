#include "every_io.hpp"

#include <vector>

using namespace rafka;
using namespace std::chrono_literals;

namespace {

Task<> note_at(Loop& loop, Instant deadline, int number, std::vector<int>& out) {
    co_await sleep_until(loop, deadline);
    out.push_back(number);
}

Task<bool> wait_for(Event& event, Instant deadline) {
    bool notified = co_await event.wait_until(deadline);
    co_return notified;
}

Task<> keep(Task<bool> work, std::vector<bool>& out) {
    bool result = co_await std::move(work);
    out.push_back(result);
}

}  // namespace

TEST_CASE("timers end in the order of their deadlines, equal ones in the order they began") {
    test::on_every_io([](Loop& loop) {
        std::vector<int> order;
        Scope scope(loop);
        auto now = loop.now();
        for (int i = 0; i < 100; ++i) scope.start(note_at(loop, now + std::chrono::milliseconds((i * 37) % 10), i, order));
        block_on(loop, scope.drained());
        REQUIRE(order.size() == 100);
        auto key = [](int i) { return (i * 37) % 10 * 1000 + i; };
        for (size_t i = 1; i < order.size(); ++i) CHECK(key(order[i - 1]) < key(order[i]));
        CHECK(loop.now() - now >= 9ms);
        CHECK(loop.next_deadline() == never);
    });
}

TEST_CASE("an event wakes its waiters in order, or their deadline does") {
    test::on_every_io([](Loop& loop) {
        Event event(loop);
        std::vector<bool> results;
        Scope scope(loop);
        auto now = loop.now();
        scope.start(keep(wait_for(event, now + 2ms), results));
        scope.start(keep(wait_for(event, never), results));
        while (results.empty()) loop.turn(never);
        CHECK(results == std::vector<bool>{false});
        CHECK(loop.now() - now >= 2ms);
        CHECK(event.notify_one());
        CHECK_FALSE(event.notify_one());
        block_on(loop, scope.drained());
        CHECK(results == std::vector<bool>{false, true});
    });
}

TEST_CASE("a notification in the turn of the deadline resumes the waiter once") {
    test::on_every_io([](Loop& loop) {
        Event event(loop);
        std::vector<bool> results;
        Scope scope(loop);
        auto deadline = loop.now() + 1ms;
        std::vector<int> notified;
        // This sleeper was first: it runs in the same batch as the waiter whose deadline came.
        struct Both {
            static Task<> sleep_then_notify(Loop& loop, Instant deadline, Event& event, std::vector<int>& notified) {
                co_await sleep_until(loop, deadline);
                notified.push_back(event.notify_one() ? 1 : 0);
            }
        };
        scope.start(Both::sleep_then_notify(loop, deadline, event, notified));
        scope.start(keep(wait_for(event, deadline), results));
        block_on(loop, scope.drained());
        CHECK(notified == std::vector<int>{1});
        CHECK(results == std::vector<bool>{true});
    });
}
