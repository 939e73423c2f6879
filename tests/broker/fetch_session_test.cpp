// Incremental fetch sessions, as a client sees them.

#include "broker/fetch_sessions.hpp"
#include "sim/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <climits>
#include <functional>
#include <map>
#include <string>
#include <vector>

using namespace rafka;
using namespace rafka::broker;

namespace {

using protocol::ErrorCode;

constexpr Duration eviction = std::chrono::minutes(2);

uint64_t count_up(void* next) { return ++*static_cast<uint64_t*>(next); }

struct World {
    explicit World(size_t sessions_max = 10) : sessions(loop, sessions_max, eviction) {}

    sim::Machine machine{1};
    sim::World loops{machine, 1};
    Loop& loop = loops.loop();
    FetchSessions sessions;
    uint64_t random = 0;
    Instant now{std::chrono::hours(1)};

    FetchSession* open(size_t partitions, bool privileged = false, bool by_id = false) {
        auto& session = sessions.take();
        for (size_t i = 0; i < partitions; ++i) session.put(at(int32_t(i)), FetchWish{});
        bool opened = sessions.open(session, privileged, by_id, now, count_up, &random);
        if (opened) answer_all(session, true);
        sessions.leave(session);
        retire();
        return opened ? &session : nullptr;
    }

    // An incremental request, without its looks.
    FetchSessions::Begun begin(int32_t id, int32_t epoch, bool by_id = false, std::vector<int32_t> changes = {}, std::vector<int32_t> forgotten = {},
                               FetchWish wish = {}) {
        auto begun = sessions.begin(id, epoch, by_id, changes.size(), now);
        if (!begun.session) return begun;
        for (auto partition : changes) begun.session->put(at(partition), wish);
        for (auto partition : forgotten) begun.session->forget(at(partition));
        for (auto* partition : begun.session->leaving()) begun.session->release(*partition);
        begun.session->leaving().clear();
        sessions.touch(*begun.session, now);
        sessions.leave(*begun.session);
        return begun;
    }

    // What an answer names, as "1 2 ", when each partition that changed is found as `result` has it.
    std::string answer_all(FetchSession& session, bool first = false) {
        session.begin_round(0);
        session.take_changed();
        std::string named;
        for (auto* partition : session.looked_at()) {
            auto& result = partition->result;
            partition->is_found = true;
            result.refuse(ErrorCode::none);
            result.high_watermark = Offset{10};
            result.log_start_offset = Offset{0};
            result.is_idle = true;
            if (found.contains(partition->index)) found[partition->index](result);
            if (first) session.answer_first(*partition);
            if (first || session.answer(*partition)) named += std::to_string(partition->index) + " ";
            result.records = {};
        }
        session.end_round();
        return named;
    }

    void retire() {
        while (auto* session = sessions.take_ended()) {
            session->forget_all();
            for (auto* partition : session->leaving()) session->release(*partition);
            session->leaving().clear();
            sessions.give_back(*session);
        }
    }

    std::map<int32_t, std::function<void(FetchResult&)>> found;

    static FetchTarget at(int32_t partition) { return {{}, "topic", partition}; }
};

// In the order in which they would be served.
std::string order(FetchSession& session) {
    auto partitions = session.partitions();
    std::sort(partitions.begin(), partitions.end(), [](auto* a, auto* b) { return a->place < b->place; });
    std::string text;
    for (auto* partition : partitions) text += std::to_string(partition->index) + " ";
    return text;
}

void with_records(FetchResult& result) {
    result.records.size = 50;
    result.is_idle = false;
}

}  // namespace

TEST_CASE("a session expects epoch 1 first, and then each next one") {
    World world;
    auto id = world.open(1)->id();
    CHECK(id != 0);
    for (int32_t epoch = 1; epoch < 4; ++epoch) {
        auto begun = world.begin(id, epoch);
        CHECK(begun.error == ErrorCode::none);
        REQUIRE(begun.session);
        CHECK(begun.session->epoch() == epoch + 1);
    }
    CHECK(world.begin(id, 3).error == ErrorCode::invalid_fetch_session_epoch);
    CHECK(world.begin(id, 4).error == ErrorCode::none);
}

TEST_CASE("after the greatest epoch comes 1") {
    CHECK(next_fetch_epoch(0) == 1);
    CHECK(next_fetch_epoch(INT_MAX - 1) == INT_MAX);
    CHECK(next_fetch_epoch(INT_MAX) == 1);
}

TEST_CASE("an unknown session and a change between names and ids are refused") {
    World world;
    CHECK(world.begin(7, 1).error == ErrorCode::fetch_session_id_not_found);
    CHECK(world.begin(0, 1).error == ErrorCode::fetch_session_id_not_found);
    auto by_name = world.open(1)->id();
    CHECK(world.begin(by_name, 1, true).error == ErrorCode::fetch_session_topic_id_error);
    auto by_id = world.open(1, false, true)->id();
    CHECK(world.begin(by_id, 1, false).error == ErrorCode::fetch_session_topic_id_error);
}

TEST_CASE("a session's number tells its loop") {
    World world;
    FetchSessions sessions(world.loop, 100, eviction, 2, 3);
    uint64_t random = 0;
    for (int i = 0; i < 20; ++i) {
        auto& session = sessions.take();
        REQUIRE(sessions.open(session, false, false, Instant{}, count_up, &random));
        CHECK(session.id() % 3 == 2);
        sessions.leave(session);
    }
}

TEST_CASE("a request adds, changes and forgets partitions") {
    World world;
    auto& session = *world.open(3);
    FetchWish wish;
    wish.fetch_offset = 42;
    auto begun = world.begin(session.id(), 1, false, {1, 9}, {0, 5}, wish);
    REQUIRE(begun.session == &session);
    CHECK(order(session) == "1 2 9 ");
    CHECK(session.put(world.at(1), wish).wish.fetch_offset == 42);
    // New to the client, whatever its watermark.
    CHECK(world.answer_all(session) == "9 ");
    CHECK(world.answer_all(session).empty());
}

TEST_CASE("many partitions come and go") {
    World world(1);
    auto& session = *world.open(3000);
    std::vector<int32_t> others;
    for (int32_t i = 0; i < 3000; i += 2) others.push_back(i);
    CHECK(world.begin(session.id(), 1, false, {}, others).session->partitions().size() == 1500);
    CHECK(world.begin(session.id(), 2, false, others).session->partitions().size() == 3000);
    CHECK(world.begin(session.id(), 3, false, others).session->partitions().size() == 3000);
}

TEST_CASE("an answer names only what changed, and looks at nothing else") {
    World world;
    auto& session = *world.open(2);
    auto looked = [&] {
        session.begin_round(0);
        session.take_changed();
        auto count = session.looked_at().size();
        for (auto* partition : session.looked_at()) session.mark(*partition);
        session.end_round();
        return count;
    };
    CHECK(looked() == 0);
    auto& partition = session.put(world.at(0), FetchWish{});
    CHECK(looked() == 1);
    CHECK(world.answer_all(session).empty());
    CHECK(looked() == 0);

    int64_t high_watermark = 11, log_start_offset = 0;
    world.found[0] = [&](FetchResult& result) {
        result.high_watermark = Offset{high_watermark};
        result.log_start_offset = Offset{log_start_offset};
    };
    CHECK(world.answer_all(session).empty());  // Nobody has said that it changed.
    session.mark(partition);
    CHECK(world.answer_all(session) == "0 ");
    session.mark(partition);
    CHECK(world.answer_all(session).empty());
    log_start_offset = 5;
    session.mark(partition);
    CHECK(world.answer_all(session) == "0 ");
    CHECK(looked() == 0);

    // Records and diverging epochs come again until the position moves.
    world.found[0] = with_records;
    session.mark(partition);
    CHECK(world.answer_all(session) == "0 ");
    CHECK(world.answer_all(session) == "0 ");
    world.found[0] = [](FetchResult& result) {
        result.diverging.emplace();
        result.is_idle = false;
    };
    CHECK(world.answer_all(session) == "0 ");
    CHECK(world.answer_all(session) == "0 ");
}

TEST_CASE("when an error is gone the partition is named once more") {
    World world;
    auto& session = *world.open(1);
    world.found[0] = [](FetchResult& result) { result.refuse(ErrorCode::not_leader_or_follower); };
    session.mark_all();
    CHECK(world.answer_all(session) == "0 ");
    CHECK(world.answer_all(session) == "0 ");
    world.found.clear();
    CHECK(world.answer_all(session) == "0 ");
    CHECK(world.answer_all(session).empty());
}

TEST_CASE("another way of reading looks at everything anew") {
    World world;
    auto& session = *world.open(2);
    session.reads_as(Isolation::read_uncommitted, false);
    CHECK(world.answer_all(session).empty());
    for (int64_t high_watermark : {11, 12}) {
        for (int i : {0, 1}) world.found[i] = [=](FetchResult& result) { result.high_watermark = Offset{high_watermark}; };
        session.reads_as(Isolation::read_committed, high_watermark == 12);
        CHECK(world.answer_all(session) == "0 1 ");
    }
}

TEST_CASE("who brought records comes last next time") {
    World world;
    auto& session = *world.open(3);
    world.found[0] = with_records;
    session.mark_all();
    world.answer_all(session);
    CHECK(order(session) == "1 2 0 ");
    world.found.clear();
    session.mark_all();
    world.answer_all(session);
    CHECK(order(session) == "1 2 0 ");
    world.found[1] = with_records;
    session.mark_all();
    world.answer_all(session);
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
    for (auto id : {small, large}) CHECK(world.begin(id, 1).error == ErrorCode::none);
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
        auto begun = world.begin(first, 1, false, {int32_t(half)});
        CHECK(begun.error == ErrorCode::fetch_session_id_not_found);
        CHECK(!world.sessions.find(first));
        CHECK(world.sessions.partition_count() == half);
    }
    SUBCASE("one that is not used makes room") {
        world.now = world.now + eviction / 2;
        CHECK(world.begin(second, 1).session);
        world.now = world.now + eviction / 2 + std::chrono::seconds(1);
        CHECK(world.open(half));
        CHECK(!world.sessions.find(first));
        CHECK(world.sessions.find(second));
    }
}
