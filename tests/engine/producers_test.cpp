#include "engine/golden.hpp"
#include "engine/producer_batches.hpp"
#include "engine/producers.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace rafka;
using namespace rafka::engine;
using namespace rafka::tests;

namespace {

constexpr int64_t day_ms = 24LL * 3600 * 1000;

// A partition without storage: what check() lets pass is noted.
struct PlainLog {
    Producers producers;
    Offset end{0};

    // "10": appended there. "dup 10": a duplicate of what stands there.
    std::string append(const Batch& from, Origin origin = Origin::client) {
        auto batch = from;
        auto verdict = producers.check(BatchView::trusted(batch), origin);
        if (!verdict) {
            switch (verdict.error()) {
            case Errc::out_of_order_sequence: return "out of order";
            case Errc::invalid_producer_epoch: return "epoch";
            case Errc::invalid_record: return "invalid";
            case Errc::fenced_leader_epoch: return "coordinator";
            default: return "another failure";
            }
        }
        if (*verdict) return "dup " + std::to_string((*verdict)->base_offset().value);
        auto at = end;
        set_base_offset(batch, at);
        ended = producers.note(BatchView::trusted(batch));
        end = BatchView::trusted(batch).next_offset();
        CHECK(producers.end_offset() == end);
        return std::to_string(at.value);
    }
    std::string send(Send send) { return append(data(send)); }
    std::optional<EndedTransaction> ended;
};

}  // namespace

TEST_CASE("sequences must follow each other, and a gap is refused") {
    PlainLog log;
    CHECK(log.send({.sequence = 0, .count = 10}) == "0");
    CHECK(log.send({.sequence = 10, .count = 5}) == "10");
    CHECK(log.send({.sequence = 16}) == "out of order");
    CHECK(log.send({.sequence = 14}) == "out of order");
    CHECK(log.send({.sequence = 15}) == "15");
    CHECK(log.send({.id = 2, .sequence = 99}) == "16");  // Unknown: what came before may be gone.
    CHECK(log.send({.id = 2, .sequence = 100}) == "17");
}

TEST_CASE("the last five batches are known again, older ones are not") {
    PlainLog log;
    for (int i = 0; i < 7; ++i) CHECK(log.send({.sequence = i * 2, .count = 2}) == std::to_string(i * 2));
    for (int i = 2; i < 7; ++i) CHECK(log.send({.sequence = i * 2, .count = 2}) == "dup " + std::to_string(i * 2));
    for (int i = 0; i < 2; ++i) CHECK(log.send({.sequence = i * 2, .count = 2}) == "out of order");
    CHECK(log.send({.sequence = 12, .count = 3}) == "out of order");  // Not the same range.
    CHECK(log.end == Offset{14});
    CHECK(log.producers.find(1)->batch_count == 5);
    // A duplicate carries the time of the original.
    auto again = data({.sequence = 12, .count = 2, .time = 5});
    auto duplicate = log.producers.check(BatchView::trusted(again), Origin::client).value();
    CHECK(duplicate->timestamp == Timestamp{1000});
    CHECK(duplicate->last_offset == Offset{13});
}

TEST_CASE("sequences wrap from 2^31-1 to 0, also inside a batch") {
    PlainLog log;
    CHECK(log.send({.sequence = INT32_MAX}) == "0");
    CHECK(log.send({.sequence = 0}) == "1");
    PlainLog inside;
    CHECK(inside.send({.sequence = INT32_MAX - 1, .count = 4}) == "0");  // MAX-1, MAX, 0, 1
    CHECK(inside.send({.sequence = INT32_MAX - 1, .count = 4}) == "dup 0");
    CHECK(inside.send({.sequence = 2}) == "4");
    CHECK(inside.producers.find(1)->batches[0].first_sequence() == INT32_MAX - 1);
}

TEST_CASE("a new epoch begins at 0 and fences the old one") {
    PlainLog log;
    CHECK(log.send({.epoch = 1, .sequence = 0}) == "0");
    CHECK(log.send({.epoch = 2, .sequence = 1}) == "out of order");
    CHECK(log.send({.epoch = 2, .sequence = 0}) == "1");
    CHECK(log.send({.epoch = 1, .sequence = 1}) == "epoch");
    CHECK(log.send({.epoch = 1, .sequence = 0}) == "epoch");  // Not even as a duplicate.
    CHECK(log.send({.epoch = 2, .sequence = 0}) == "dup 1");
}

TEST_CASE("coordinators' batches have epochs but no sequences") {
    PlainLog log;
    auto batch = data({.epoch = 1, .sequence = -1, .transactional = true});
    CHECK(log.append(batch, Origin::coordinator) == "0");
    CHECK(log.append(batch, Origin::coordinator) == "1");
    CHECK(log.append(data({.epoch = 0, .sequence = -1, .transactional = true}), Origin::coordinator) == "epoch");
    CHECK(log.append(data({.epoch = 0, .sequence = -1}), Origin::controller) == "2");
    BatchBuilder plain;
    plain.add({1}, {}, {});
    CHECK(log.append(plain.build()) == "3");
    CHECK(log.producers.count() == 1);
}

TEST_CASE("transactions hold back what is stable until their marker is below the high watermark") {
    PlainLog log;
    CHECK(log.producers.first_unstable_offset(log.end) == no_offset);
    CHECK(log.send({.id = 1, .sequence = 0, .transactional = true}) == "0");
    CHECK(log.send({.id = 2, .sequence = 0, .transactional = true}) == "1");
    CHECK(log.send({.id = 1, .sequence = 1, .transactional = true}) == "2");
    CHECK(log.send({.id = 1, .sequence = 2}) == "invalid");
    CHECK(log.producers.first_unstable_offset(log.end) == Offset{0});

    CHECK(log.append(marker(1, 0, false, 5), Origin::coordinator) == "3");
    REQUIRE(log.ended);
    CHECK(log.ended->aborted);
    CHECK(log.ended->producer_id == 1);
    CHECK(log.ended->first_offset == Offset{0});
    CHECK(log.ended->last_offset == Offset{3});
    CHECK(log.ended->last_stable_offset == Offset{1});
    CHECK(log.producers.first_unstable_offset({3}) == Offset{0});
    CHECK(log.producers.first_unstable_offset({4}) == Offset{1});
    log.producers.high_watermark_moved({4});
    CHECK(log.producers.first_unstable_offset({4}) == Offset{1});

    CHECK(log.append(marker(2, 0, true, 5), Origin::coordinator) == "4");
    CHECK_FALSE(log.ended->aborted);
    CHECK(log.ended->last_stable_offset == Offset{5});
    CHECK(log.producers.first_unstable_offset({5}) == no_offset);

    CHECK(log.append(marker(2, 0, true, 4), Origin::coordinator) == "coordinator");
    CHECK(log.append(marker(2, 0, true, 6), Origin::coordinator) == "5");  // Again: no transaction, nothing ends.
    CHECK_FALSE(log.ended);
    CHECK(log.send({.id = 1, .sequence = 2}) == "6");  // The marker kept epoch and sequence.
    CHECK(log.append(marker(1, 3, false, 5), Origin::coordinator) == "7");
    CHECK(log.send({.id = 1, .epoch = 3, .sequence = 3}) == "out of order");  // A raised epoch begins again.
    CHECK(log.send({.id = 1, .epoch = 3, .sequence = 0}) == "8");
}

TEST_CASE("Kafka's markers are read") {
    for (auto name : {"abort", "commit"}) {
        auto bytes = golden::bytes("batches.txt", name);
        auto found = marker_of(BatchView::frame(bytes).value()).value();
        REQUIRE(found);
        CHECK(found->commit == (std::string_view(name) == "commit"));
        CHECK(found->coordinator_epoch == 9);
        Producers producers;
        auto begun = golden::bytes("batches.txt", "transactional");
        producers.note(BatchView::frame(begun).value());
        auto ended = producers.note(BatchView::frame(bytes).value());
        REQUIRE(ended);
        CHECK(ended->aborted != found->commit);
        CHECK(ended->first_offset == Offset{100});
        CHECK(producers.find(4711)->coordinator_epoch == 9);
        CHECK(producers.find(4711)->last_timestamp == Timestamp{12});
    }
    auto emptied = golden::bytes("batches.txt", "empty");
    CHECK_FALSE(marker_of(BatchView::frame(emptied).value()).value());
    auto other = golden::bytes("batches.txt", "mixed-none");  // Its first key is "k0": too short for a control record.
    CHECK_FALSE(marker_of(BatchView::frame(other).value()));
}

TEST_CASE("batches the cleaner has emptied still count") {
    Producers producers;
    auto bytes = golden::bytes("batches.txt", "empty");
    producers.note(BatchView::frame(bytes).value());
    CHECK(producers.end_offset() == Offset{210});
    CHECK(producers.find(4711)->newest().last_sequence == 26);
    CHECK(producers.find(4711)->newest().base_offset() == Offset{200});
}

TEST_CASE("idle producers are forgotten, but not with an open transaction") {
    PlainLog log;
    log.send({.id = 1, .time = 1000});
    log.send({.id = 2, .time = 5000});
    log.send({.id = 3, .time = 1000, .transactional = true});
    log.producers.expire({1000 + day_ms - 1}, day_ms);
    CHECK(log.producers.count() == 3);
    log.producers.expire({1000 + day_ms}, day_ms);
    CHECK(log.producers.count() == 2);
    CHECK_FALSE(log.producers.find(1));
    log.producers.expire({INT64_MAX}, day_ms);
    CHECK(log.producers.count() == 1);
    CHECK(log.send({.id = 1, .sequence = 55}) == "3");
}

TEST_CASE("a snapshot is Kafka's, byte for byte, in both directions") {
    auto kafkas = golden::bytes("snapshot.txt", "snapshot");
    Producers producers;
    constexpr Timestamp soon{1700000000999};
    REQUIRE(producers.load_snapshot(kafkas, {50}, soon, day_ms));
    CHECK(producers.end_offset() == Offset{50});
    CHECK(producers.count() == 2);
    CHECK(producers.find(5)->epoch == 2);
    CHECK(producers.find(5)->coordinator_epoch == 11);
    CHECK_FALSE(producers.find(5)->has_batches());
    CHECK(producers.find(4711)->newest() == ProducerBatch{9, 0, {49}, {1700000000456}});
    CHECK(producers.first_unstable_offset({50}) == Offset{40});
    CHECK(producers.encode_snapshot() == kafkas);
    REQUIRE(producers.load_snapshot(kafkas, {50}, {1700000000456 + day_ms}, day_ms));
    CHECK(producers.count() == 1);  // The other one is held by its transaction.
}

TEST_CASE("a snapshot that tells of what comes behind its place in the log is refused") {
    auto kafkas = golden::bytes("snapshot.txt", "snapshot");
    Producers producers;
    constexpr Timestamp soon{1700000000999};
    for (int64_t place : {0, 40, 49}) CHECK_FALSE(producers.load_snapshot(kafkas, {place}, soon, day_ms));
    CHECK(producers.load_snapshot(kafkas, {50}, soon, day_ms));
}

TEST_CASE("a damaged snapshot is refused and changes nothing") {
    auto whole = golden::bytes("snapshot.txt", "snapshot");
    PlainLog log;
    log.send({});
    auto refused = [&](const Batch& file) {
        return !log.producers.load_snapshot(file, {9}, {0}, day_ms) && log.producers.count() == 1 && log.producers.end_offset() == Offset{1};
    };
    for (size_t size = 0; size < whole.size(); ++size) CHECK(refused({whole.begin(), whole.begin() + long(size)}));
    for (size_t i = 0; i < whole.size(); ++i) {
        auto file = whole;
        file[i] ^= std::byte{0x10};
        CHECK(refused(file));
    }
    auto longer = whole;
    longer.push_back({});
    CHECK(refused(longer));
    CHECK(Producers().encode_snapshot().size() == 10);
    CHECK(decode_snapshot(Producers().encode_snapshot())->empty());
}

TEST_CASE("state from a snapshot and the batches behind it is the state that was") {
    std::mt19937_64 random(20);
    for (int round = 0; round < 50; ++round) {
        PlainLog log;
        std::vector<Batch> batches;
        std::vector<std::pair<Offset, Batch>> snapshots;
        std::map<int64_t, int32_t> sequences;
        for (int i = 0; i < 60; ++i) {
            auto id = int64_t(random() % 4);
            Batch batch;
            bool in_transaction = log.producers.find(id) && log.producers.find(id)->transaction_first_offset != no_offset;
            if (in_transaction && random() % 2) {
                batch = marker(id, 0, random() % 2, 1);
            } else {
                auto count = int32_t(1 + random() % 5);
                batch = data({.id = id, .sequence = sequences[id], .count = count, .transactional = in_transaction || random() % 3 == 0});
                sequences[id] += count;
            }
            set_base_offset(batch, log.end);
            REQUIRE(log.append(batch, Origin::client) == std::to_string(BatchView::trusted(batch).base_offset().value));
            batches.push_back(batch);
            if (random() % 10 == 0) snapshots.emplace_back(log.end, log.producers.encode_snapshot());
        }
        snapshots.emplace_back(Offset{0}, Producers().encode_snapshot());
        for (auto& [offset, file] : snapshots) {
            Producers again;
            REQUIRE(again.load_snapshot(file, offset, {1000}, day_ms));
            for (auto& batch : batches) {
                if (BatchView::trusted(batch).base_offset() >= offset) again.note(BatchView::trusted(batch));
            }
            CHECK(again.encode_snapshot() == log.producers.encode_snapshot());
            CHECK(again.first_unstable_offset(log.end) == log.producers.first_unstable_offset(log.end));
            CHECK(again.end_offset() == log.end);
        }
    }
}
