// Incremental fetch sessions, as a client sees them.

#include "broker/fetch_session.hpp"

#include <doctest/doctest.h>

#include <climits>
#include <string>

using namespace rafka;
using namespace rafka::broker;

namespace {

constexpr Duration eviction = std::chrono::minutes(2);

uint64_t count_up(void* next) { return ++*static_cast<uint64_t*>(next); }

struct World {
    explicit World(size_t sessions_max = 10) : sessions(sessions_max, eviction) {}

    FetchSessions sessions;
    uint64_t random = 0;
    Instant now{std::chrono::hours(1)};

    FetchSession* open(size_t partitions, bool privileged = false, bool by_id = false) {
        auto* session = sessions.open(privileged, by_id, partitions, now, count_up, &random);
        if (!session) return nullptr;
        for (size_t i = 0; i < partitions; ++i) sessions.add(*session, at(int32_t(i)), FetchWish{}, seen(10));
        sessions.touch(*session, now);
        return session;
    }

    static FetchTarget at(int32_t partition) { return {{}, "topic", partition}; }
    static FetchOutcome seen(int64_t high_watermark, size_t records = 0, int16_t error = 0) {
        FetchOutcome outcome;
        outcome.high_watermark = high_watermark;
        outcome.log_start_offset = 0;
        outcome.records_size = records;
        outcome.error = error;
        return outcome;
    }
};

std::string order(const FetchSession& session) {
    std::string text;
    for (auto& partition : session.partitions()) text += std::to_string(partition.partition) + " ";
    return text;
}

}  // namespace

TEST_CASE("a session expects epoch 1 first, and then each next one") {
    World world;
    auto id = world.open(1)->id();
    CHECK(id != 0);
    for (int32_t epoch = 1; epoch < 4; ++epoch) {
        auto begun = world.sessions.begin(id, epoch, false, {}, {}, world.now);
        CHECK(begun.error == 0);
        REQUIRE(begun.session);
        CHECK(begun.session->epoch() == epoch + 1);
    }
    CHECK(world.sessions.begin(id, 3, false, {}, {}, world.now).error == 71);
    CHECK(world.sessions.begin(id, 4, false, {}, {}, world.now).error == 0);
}

TEST_CASE("after the greatest epoch comes 1") {
    CHECK(next_fetch_epoch(0) == 1);
    CHECK(next_fetch_epoch(INT_MAX - 1) == INT_MAX);
    CHECK(next_fetch_epoch(INT_MAX) == 1);
}

TEST_CASE("an unknown session and a change between names and ids are refused") {
    World world;
    CHECK(world.sessions.begin(7, 1, false, {}, {}, world.now).error == 70);
    CHECK(world.sessions.begin(0, 1, false, {}, {}, world.now).error == 70);
    auto by_name = world.open(1)->id();
    CHECK(world.sessions.begin(by_name, 1, true, {}, {}, world.now).error == 106);
    auto by_id = world.open(1, false, true)->id();
    CHECK(world.sessions.begin(by_id, 1, false, {}, {}, world.now).error == 106);
}

TEST_CASE("a request adds, changes and forgets partitions") {
    World world;
    auto id = world.open(3)->id();
    FetchWish wish;
    wish.fetch_offset = 42;
    std::vector<FetchSessions::Change> changes{{World::at(1), wish}, {World::at(9), wish}};
    std::vector<FetchTarget> forgotten{World::at(0), World::at(5)};
    auto begun = world.sessions.begin(id, 1, false, changes, forgotten, world.now);
    REQUIRE(begun.session);
    CHECK(order(*begun.session) == "1 2 9 ");
    CHECK(begun.session->partitions().front().wish.fetch_offset == 42);
    // New to the client, whatever its watermark.
    CHECK(begun.session->answer(World::at(9), World::seen(0)));
}

TEST_CASE("a session without partitions is closed, and the request is not refused") {
    World world;
    auto id = world.open(1)->id();
    std::vector<FetchTarget> forgotten{World::at(0)};
    auto begun = world.sessions.begin(id, 1, false, {}, forgotten, world.now);
    CHECK(begun.error == 0);
    CHECK(begun.session == nullptr);
    CHECK(world.sessions.size() == 0);
}

TEST_CASE("an answer names only what changed") {
    World world;
    auto& session = *world.open(2);
    CHECK_FALSE(session.answer(World::at(0), World::seen(10)));
    CHECK(session.answer(World::at(0), World::seen(11)));
    CHECK_FALSE(session.answer(World::at(0), World::seen(11)));
    CHECK(session.answer(World::at(0), World::seen(11, 100)));
    auto moved = World::seen(11);
    moved.log_start_offset = 5;
    CHECK(session.answer(World::at(0), moved));
    CHECK_FALSE(session.answer(World::at(0), moved));
    moved.diverging = true;
    CHECK(session.answer(World::at(0), moved));
    CHECK_FALSE(session.answer(World::at(7), World::seen(99)));  // Forgotten meanwhile.
}

TEST_CASE("when an error is gone the partition is named once more") {
    World world;
    auto& session = *world.open(1);
    CHECK(session.answer(World::at(0), World::seen(-1, 0, 6)));
    CHECK(session.answer(World::at(0), World::seen(-1, 0, 6)));
    CHECK(session.answer(World::at(0), World::seen(10)));
    CHECK_FALSE(session.answer(World::at(0), World::seen(10)));
}

TEST_CASE("who brought records comes last next time") {
    World world;
    auto& session = *world.open(3);
    session.answer(World::at(0), World::seen(10, 50));
    CHECK(order(session) == "1 2 0 ");
    session.answer(World::at(1), World::seen(11));
    CHECK(order(session) == "1 2 0 ");
    session.answer(World::at(1), World::seen(11, 1));
    CHECK(order(session) == "2 0 1 ");
}

TEST_CASE("at the bound a new session takes the place of one that is not used") {
    World world(2);
    auto stale = world.open(5)->id();
    world.now = world.now + eviction;
    auto used = world.open(1)->id();
    CHECK(world.open(9) == nullptr);  // The older one is stale only after that time.
    world.now = world.now + std::chrono::milliseconds(1);
    auto* third = world.open(1);
    REQUIRE(third);
    CHECK(world.sessions.find(stale) == nullptr);
    CHECK(world.sessions.find(used) != nullptr);
}

TEST_CASE("at the bound a larger session takes the place of a smaller, settled one") {
    World world(2);
    auto small = world.open(2)->id();
    auto large = world.open(8)->id();
    CHECK(world.open(9) == nullptr);  // Both are young.
    world.now = world.now + eviction + std::chrono::milliseconds(1);
    for (auto id : {small, large}) CHECK(world.sessions.begin(id, 1, false, {}, {}, world.now).error == 0);
    CHECK(world.open(1) == nullptr);
    REQUIRE(world.open(3));
    CHECK(world.sessions.find(small) == nullptr);
    CHECK(world.sessions.find(large) != nullptr);
}

TEST_CASE("a follower takes the place of a consumer, not the other way round") {
    World world(1);
    auto consumer = world.open(8)->id();
    auto* follower = world.open(1, true);
    REQUIRE(follower);
    CHECK(world.sessions.find(consumer) == nullptr);
    CHECK(world.open(100) == nullptr);
}

TEST_CASE("all sessions together have a bound of partitions") {
    World world;
    constexpr size_t half = FetchSessions::partitions_max / 2;
    auto first = world.open(half)->id();
    auto second = world.open(half)->id();
    CHECK(world.sessions.partition_count() == 2 * half);
    CHECK(!world.open(1));
    CHECK(!world.open(FetchSessions::partitions_max + 1));
    CHECK(world.sessions.size() == 2);

    SUBCASE("one that would grow beyond it is closed") {
        FetchSessions::Change change{{{}, "another", 0}, FetchWish{}};
        auto begun = world.sessions.begin(first, 1, false, {&change, 1}, {}, world.now);
        CHECK(begun.error == 70);
        CHECK(!world.sessions.find(first));
        CHECK(world.sessions.partition_count() == half);
    }
    SUBCASE("one that is not used makes room") {
        world.now = world.now + eviction / 2;
        CHECK(world.sessions.begin(second, 1, false, {}, {}, world.now).session);
        world.now = world.now + eviction / 2 + std::chrono::seconds(1);
        CHECK(world.open(half));
        CHECK(!world.sessions.find(first));
        CHECK(world.sessions.find(second));
    }
}
