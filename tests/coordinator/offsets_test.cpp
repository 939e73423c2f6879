#include "coordinator/offsets.hpp"

#include "protocol/records/groups.hpp"

#include <doctest/doctest.h>

using namespace rafka;
using namespace rafka::coordinator;
using namespace std::chrono_literals;

namespace {

struct Log {
    Offsets offsets;
    int64_t next = 0;

    void commit(std::string_view group, std::string_view topic, int32_t partition, int64_t offset, int64_t producer_id = -1,
                Timestamp when = {1000}, Timestamp expires = no_timestamp) {
        CommittedOffset committed;
        committed.offset = Offset{offset};
        committed.leader_epoch = 3;
        committed.metadata = "note";
        committed.committed = when;
        committed.expires = expires;
        auto record = offset_record(group, topic, partition, committed);
        append(record, producer_id);
    }
    void forget(std::string_view group, std::string_view topic, int32_t partition) {
        append(offset_tombstone(group, topic, partition), -1);
    }
    void append(const OffsetRecord& record, int64_t producer_id) {
        wire::Arena arena;
        auto key = std::get<protocol::OffsetCommitKey>(protocol::read_group_key(record.key, arena).value());
        std::optional<Bytes> value;
        if (!record.value.empty()) value = record.value;
        REQUIRE(offsets.replay(Offset{next++}, producer_id, key.group, key.topic, key.partition, value).has_value());
    }
    int64_t at(std::string_view group, std::string_view topic, int32_t partition) const {
        auto* found = offsets.find(group, topic, partition);
        return found ? found->offset.value : -1;
    }
};

}  // namespace

TEST_CASE("a committed offset comes back from its record") {
    Log log;
    log.commit("g", "t", 0, 5);
    log.commit("g", "t", 0, 6);
    log.commit("g", "u", 1, 7);
    CHECK(log.offsets.count() == 2);
    auto* found = log.offsets.find("g", "t", 0);
    REQUIRE(found);
    CHECK(found->offset == Offset{6});
    CHECK(found->leader_epoch == 3);
    CHECK(found->metadata == "note");
    CHECK(found->record_offset == Offset{1});
    log.forget("g", "t", 0);
    log.forget("g", "t", 0);
    CHECK(log.at("g", "t", 0) == -1);
    CHECK(log.offsets.find_group("g")->size() == 1);
    log.forget("g", "u", 1);
    CHECK(log.offsets.find_group("g") == nullptr);
    CHECK(log.offsets.count() == 0);
}

TEST_CASE("offsets of a transaction count when it commits, and not over newer ones") {
    Log log;
    log.commit("g", "t", 0, 5);
    log.commit("g", "t", 0, 9, 77);
    log.commit("g", "t", 1, 9, 77);
    log.commit("g", "t", 2, 9, 88);
    CHECK(log.at("g", "t", 0) == 5);
    CHECK(log.offsets.is_unstable("g", "t", 0));
    CHECK_FALSE(log.offsets.is_unstable("g", "t", 3));
    log.commit("g", "t", 1, 4);  // After the transaction's.
    log.offsets.replay_marker(77, true);
    CHECK(log.at("g", "t", 0) == 9);
    CHECK(log.at("g", "t", 1) == 4);
    CHECK_FALSE(log.offsets.is_unstable("g", "t", 0));
    CHECK(log.offsets.has_open_transactions("g"));
    log.offsets.replay_marker(88, false);
    CHECK(log.at("g", "t", 2) == -1);
    CHECK_FALSE(log.offsets.has_open_transactions("g"));
}

TEST_CASE("offsets grow old from their commit, or from when the group became empty") {
    Log log;
    log.commit("g", "t", 0, 5, -1, {1000});
    log.commit("g", "t", 1, 5, -1, {3000});
    log.commit("g", "u", 0, 5, -1, {1000});
    log.commit("g", "v", 0, 5, -1, {1000}, {9000});  // Says itself when.
    auto count = [&](OffsetExpiry expiry, int64_t now) { return log.offsets.expired("g", expiry, {now}, 1000ms).size(); };
    OffsetExpiry by_commit;
    CHECK(count(by_commit, 10'000) == 0);
    by_commit.any = true;
    CHECK(count(by_commit, 1999) == 0);
    CHECK(count(by_commit, 2000) == 2);
    CHECK(count(by_commit, 4000) == 3);
    CHECK(count(by_commit, 9000) == 4);
    std::set<std::string> kept{"t"};
    by_commit.kept = &kept;
    CHECK(count(by_commit, 4000) == 1);
    OffsetExpiry by_emptiness;
    by_emptiness.any = true;
    by_emptiness.empty_since = Timestamp{5000};
    CHECK(count(by_emptiness, 5999) == 0);
    CHECK(count(by_emptiness, 6000) == 3);
    log.commit("g", "u", 0, 6, 77);
    CHECK(count(by_emptiness, 6000) == 2);
}

TEST_CASE("offsets of a deleted topic are found by its id") {
    Log log;
    CommittedOffset committed;
    committed.topic_id.bytes[0] = std::byte{1};
    log.append(offset_record("g", "t", 0, committed), -1);
    log.commit("h", "t", 0, 1);  // Whoever commits by name means the topic of that name.
    auto other = committed.topic_id;
    other.bytes[1] = std::byte{2};
    CHECK(log.offsets.of_deleted("t", other).size() == 1);
    CHECK(log.offsets.of_deleted("t", committed.topic_id).size() == 2);
    CHECK(log.offsets.of_deleted("nothing", committed.topic_id).empty());
}
