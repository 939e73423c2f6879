#include "engine/golden.hpp"
#include "engine/validation.hpp"

#include "base/endian.hpp"
#include "base/varint.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <random>

using namespace rafka;
using engine::Accepted;
using engine::validate;

namespace {

constexpr Timestamp now{1'700'000'000'000};
using Batch = std::vector<std::byte>;

Batch simple(Codec codec = Codec::none, int records = 3) {
    BatchBuilder::Options options;
    options.codec = codec;
    BatchBuilder builder(options);
    for (int i = 0; i < records; ++i) builder.add({now.ms + i}, as_bytes("key"), as_bytes("value"));
    return builder.build();
}

// "accepted", or the name of the failure and the refused records.
std::string judge(Bytes batch, const LogOptions& options = {}, Origin origin = Origin::client) {
    std::vector<RejectedRecord> rejected;
    auto accepted = validate(batch, origin, options, now, &rejected);
    std::string out;
    if (accepted) out = "accepted";
    else switch (accepted.error()) {
    case Errc::invalid_record: out = "invalid record"; break;
    case Errc::corrupt_batch: out = "corrupt"; break;
    case Errc::too_large: out = "too large"; break;
    case Errc::invalid_timestamp: out = "invalid timestamp"; break;
    case Errc::unsupported_codec: out = "unsupported codec"; break;
    default: out = "another failure"; break;
    }
    for (auto& record : rejected) {
        CHECK_FALSE(record.message.empty());
        out += " " + std::to_string(record.index);
    }
    return out;
}

// What would stand in the log at offset 1000.
Batch stored(Bytes batch, const LogOptions& options) {
    auto accepted = validate(batch, Origin::client, options, now).value();
    auto bytes = accepted.bytes(batch);
    Batch out(bytes.begin(), bytes.end());
    accepted.stamp(out, {1000}, 7);
    CHECK(BatchView::frame(out)->crc_matches());
    CHECK(BatchView::frame(out)->base_offset() == Offset{1000});
    CHECK(BatchView::frame(out)->leader_epoch() == 7);
    CHECK(BatchView::frame(out)->max_timestamp() == accepted.max_timestamp);
    return out;
}

// A batch around these record bytes, with a right CRC.
Batch around(Bytes records, int32_t count, Codec codec = Codec::none) {
    auto batch = simple(Codec::none, 1);
    batch.resize(batch_header_size);
    REQUIRE(compress(codec, records, batch));
    store_be(batch.data() + batch_at::length, int32_t(batch.size() - batch_size_prefix));
    store_be(batch.data() + batch_at::attributes, int16_t(codec));
    store_be(batch.data() + batch_at::last_offset_delta, count - 1);
    store_be(batch.data() + batch_at::record_count, count);
    update_crc(batch);
    return batch;
}

// The body of a record field by field, for those that no builder would make. Numbers are varints.
struct Body {
    Batch bytes;
    Body& byte(int x) { bytes.push_back(std::byte(x)); return *this; }
    Body& number(int64_t x) {
        std::byte digits[varlong_size_max];
        bytes.insert(bytes.end(), digits, write_varlong(digits, x));
        return *this;
    }
    Body& text(std::string_view text) {
        number(int64_t(text.size()));
        bytes.insert(bytes.end(), as_bytes(text).begin(), as_bytes(text).end());
        return *this;
    }
    Batch record(int64_t length_error = 0) const {
        Body whole;
        whole.number(int64_t(bytes.size()) + length_error);
        whole.bytes.insert(whole.bytes.end(), bytes.begin(), bytes.end());
        return whole.bytes;
    }
};

Body head(int64_t offset_delta = 0) { return Body().byte(0).number(0).number(offset_delta); }

Batch patched(Batch batch, const std::function<void(std::byte*)>& patch) {
    patch(batch.data());
    update_crc(batch);
    return batch;
}

template <class T>
Batch with(size_t at, T x, Batch batch = simple()) {
    return patched(std::move(batch), [&](std::byte* to) { store_be(to + at, x); });
}

}  // namespace

TEST_CASE("Kafka's own batches are accepted, whatever their codec") {
    for (auto name : {"mixed-none", "mixed-gzip", "mixed-snappy", "mixed-lz4", "mixed-zstd", "idempotent"}) {
        CAPTURE(name);
        auto batch = golden::bytes("batches.txt", name);
        CHECK(judge(batch) == "accepted");
        // In place: only the base offset and the leader epoch change.
        auto out = stored(batch, {});
        set_base_offset(out, {0});
        CHECK(out == batch);
    }
    for (auto name : {"big-gzip", "big-snappy", "big-lz4", "big-zstd"}) {
        CHECK(judge(golden::bytes("batches.txt", name)) == "accepted");
    }
    CHECK(judge(golden::bytes("batches.txt", "append-time")) == "invalid timestamp 0");
    CHECK(judge(golden::bytes("batches.txt", "abort")) == "invalid record");
    CHECK(judge(golden::bytes("batches.txt", "empty")) == "invalid record");
    CHECK(judge(golden::bytes("batches.txt", "transactional")) == "invalid record");  // Its base offset is 100.
    CHECK(judge(golden::bytes("batches.txt", "abort"), {}, Origin::coordinator) == "accepted");
}

TEST_CASE("a client's payload is exactly one whole v2 batch") {
    auto batch = simple();
    CHECK(judge(batch) == "accepted");
    CHECK(judge({}) == "invalid record");
    CHECK(judge(Bytes(batch).first(batch.size() - 1)) == "invalid record");
    auto twice = batch;
    twice.insert(twice.end(), batch.begin(), batch.end());
    CHECK(judge(twice) == "invalid record");
    twice.resize(batch.size() + 1);
    CHECK(judge(twice) == "invalid record");
    CHECK(judge(with<int8_t>(batch_at::magic, 1)) == "invalid record");
    CHECK(judge(with<int8_t>(batch_at::magic, 3)) == "corrupt");
    CHECK(judge(with<int32_t>(batch_at::length, 13)) == "corrupt");
    batch.back() ^= std::byte{1};
    CHECK(judge(batch) == "corrupt");
}

TEST_CASE("the claims of a header are checked") {
    CHECK(judge(with<int64_t>(batch_at::base_offset, 1)) == "invalid record");
    CHECK(judge(with<int32_t>(batch_at::record_count, 2)) == "invalid record");
    CHECK(judge(with<int32_t>(batch_at::record_count, 0)) == "invalid record");
    CHECK(judge(with<int32_t>(batch_at::record_count, -1)) == "invalid record");
    CHECK(judge(with<int32_t>(batch_at::last_offset_delta, 3)) == "invalid record");
    CHECK(judge(with<int32_t>(batch_at::last_offset_delta, INT32_MIN)) == "invalid record");
    CHECK(judge(with<int16_t>(batch_at::attributes, 0x10)) == "invalid record");    // Transactional without a producer.
    CHECK(judge(with<int16_t>(batch_at::attributes, 0x20)) == "invalid record");    // Control.
    CHECK(judge(with<int16_t>(batch_at::attributes, 0x40)) == "invalid record");    // Delete horizon.
    CHECK(judge(with<int16_t>(batch_at::attributes, 0x80)) == "invalid record");    // Unused.
    CHECK(judge(with<int16_t>(batch_at::attributes, 0x4000)) == "invalid record");
    CHECK(judge(with<int16_t>(batch_at::attributes, 0x08)) == "invalid timestamp 0");
    for (int16_t codec : {5, 6, 7}) CHECK(judge(with<int16_t>(batch_at::attributes, codec)) == "unsupported codec");
    for (int16_t codec : {1, 2, 3, 4}) CHECK(judge(with<int16_t>(batch_at::attributes, codec)) == "invalid record 0");  // It is not.

    auto producer = with<int64_t>(batch_at::producer_id, 5);
    CHECK(judge(producer) == "invalid record");
    producer = with<int16_t>(batch_at::producer_epoch, 0, producer);
    CHECK(judge(producer) == "invalid record");
    producer = with<int32_t>(batch_at::base_sequence, 0, producer);
    CHECK(judge(producer) == "accepted");
    CHECK(judge(with<int16_t>(batch_at::attributes, 0x10, producer)) == "accepted");
}

TEST_CASE("both claims count one more than there is, and one less") {
    for (int32_t count : {2, 4}) {
        for (auto codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
            auto batch = with<int32_t>(batch_at::record_count, count, simple(codec));
            auto verdict = judge(with<int32_t>(batch_at::last_offset_delta, count - 1, batch));
            CHECK(verdict == (count == 2 ? "invalid record" : "invalid record 3"));
        }
    }
}

TEST_CASE("records are walked, compressed or not") {
    for (auto codec : {Codec::none, Codec::lz4, Codec::zstd, Codec::snappy, Codec::gzip}) {
        CAPTURE(to_text(codec));
        auto of = [&](const Batch& record) { return judge(around(record, 1, codec)); };
        CHECK(of(head().number(-1).number(-1).number(0).record()) == "accepted");
        CHECK(of(head().text("k").text("v").number(1).text("h").number(-1).record()) == "accepted");
        CHECK(of(head().text("k").text("v").number(2).text("").text("").text("h").text("x").record()) == "accepted");
        const std::pair<const char*, Batch> broken[] = {
            {"offset 1", head(1).number(-1).number(-1).number(0).record()},
            {"offset -1", head(-1).number(-1).number(-1).number(0).record()},
            {"record attributes", Body().byte(1).number(0).number(0).number(-1).number(-1).number(0).record()},
            {"key length -2", head().number(-2).number(-1).number(0).record()},
            {"value length -2", head().number(-1).number(-2).number(0).record()},
            {"key beyond the record", head().number(3).number(-1).number(0).record()},
            {"value beyond the record", head().number(-1).number(3).number(0).record()},
            {"key of 2 GiB", head().number(INT32_MAX).number(-1).number(0).record()},
            {"header count -1", head().number(-1).number(-1).number(-1).record()},
            {"header count 2^31-1", head().number(-1).number(-1).number(INT32_MAX).record()},
            {"null header key", head().number(-1).number(-1).number(1).number(-1).number(-1).record()},
            {"header value length -2", head().number(-1).number(-1).number(1).text("h").number(-2).record()},
            {"a header less than claimed", head().number(-1).number(-1).number(2).text("hh").text("x").record()},
            {"length one short", head().text("k").text("v").number(0).record(-1)},
            {"length one long", head().text("k").text("v").number(0).record(+1)},
            {"length 0", Body().number(0).bytes},
            {"length -1", Body().number(-1).bytes},
            {"length of 2 GiB", Body().number(INT32_MAX).byte(0).bytes},
            {"a byte more inside", head().number(-1).number(-1).number(0).byte(0).record()},
            {"cut", Body().number(20).byte(0).bytes},
            {"a varint without end", Batch(7, std::byte{0xff})},
            {"an offset beyond 32 bits", head(int64_t(1) << 40).number(-1).number(-1).number(0).record()},
        };
        for (auto& [name, record] : broken) {
            CAPTURE(name);
            CHECK(of(record) == "invalid record 0");
        }
        auto trailing = head().number(-1).number(-1).number(0).record();
        trailing.push_back(std::byte{0});
        CHECK(of(trailing) == "invalid record");
    }
}

TEST_CASE("records larger than the decoder's window, at any place in it, are walked") {
    std::mt19937_64 random(9);
    for (auto codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        for (int round = 0; round < 10; ++round) {
            BatchBuilder::Options options;
            options.codec = codec;
            BatchBuilder builder(options);
            for (int i = 0; i < 20; ++i) {
                std::string key(random() % 70000, 'k'), value(random() % 140000, 'v'), name(random() % 70000, 'n');
                HeaderView headers[] = {{name, as_bytes(value)}, {key, {}}};
                builder.add(now, as_bytes(key), as_bytes(value), std::span(headers).first(random() % 3));
            }
            CHECK(judge(builder.build()) == "accepted");
        }
    }
}

TEST_CASE("sizes have limits, before and after recompression") {
    auto batch = simple();
    LogOptions options;
    options.max_message_bytes = uint32_t(batch.size());
    CHECK(judge(batch, options) == "accepted");
    options.max_message_bytes -= 1;
    CHECK(judge(batch, options) == "too large");
    options = {};
    options.segment_bytes = uint32_t(batch.size() - 1);
    CHECK(judge(batch, options) == "too large");

    auto packed = golden::bytes("batches.txt", "big-zstd");
    options = {};
    options.max_message_bytes = 100'000;
    CHECK(judge(packed, options) == "accepted");
    options.compression = Codec::none;
    CHECK(judge(packed, options) == "too large");
    options.compression = Codec::lz4;
    CHECK(judge(packed, options) == "accepted");
    options.max_message_bytes = 500;
    CHECK(judge(packed, options) == "too large");
}

TEST_CASE("a bomb is refused without being unpacked whole") {
    Batch zeros(engine::plain_bytes_max + 1'000'000);
    auto bomb = around(zeros, 1, Codec::zstd);
    CHECK(bomb.size() < 100'000);
    CHECK(judge(bomb) == "invalid record 0");  // Its first record is of length 0.
    auto head_of_large = head().number(-1).number(INT32_MAX / 2);
    auto record = Body().number(INT32_MAX / 2 + 100);
    record.bytes.insert(record.bytes.end(), head_of_large.bytes.begin(), head_of_large.bytes.end());
    std::copy(record.bytes.begin(), record.bytes.end(), zeros.begin());
    CHECK(judge(around(zeros, 1, Codec::zstd)) == "too large");
}

TEST_CASE("compacted topics need keys") {
    LogOptions options;
    options.keys_required = true;
    BatchBuilder builder;
    builder.add(now, as_bytes("k"), as_bytes("v"));
    builder.add(now, {}, as_bytes("v"));
    builder.add(now, as_bytes(""), {});
    builder.add(now, {}, {});
    auto batch = builder.build();
    CHECK(judge(batch, options) == "invalid record 1 3");
    CHECK(judge(batch) == "accepted");
}

TEST_CASE("create times have bounds, and none is in bounds") {
    LogOptions options;
    options.timestamp_before_max_ms = 1000;
    options.timestamp_after_max_ms = 2000;
    BatchBuilder builder;
    for (int64_t time : {now.ms, now.ms - 1000, now.ms - 1001, now.ms + 2000, now.ms + 2001, int64_t(-1)}) {
        builder.add({time}, {}, as_bytes("v"));
    }
    auto batch = builder.build();
    CHECK(judge(batch, options) == "invalid timestamp 2 4");
    CHECK(judge(batch) == "accepted");
    options.log_append_time = true;
    CHECK(judge(batch, options) == "accepted");
    options.log_append_time = false;
    options.keys_required = true;  // A record is named once: its missing key comes first.
    CHECK(judge(batch, options) == "invalid record 0 1 2 3 4 5");

    // Extremes: no sum or difference overflows.
    auto far = with<int64_t>(batch_at::base_timestamp, INT64_MIN, simple(Codec::none, 1));
    CHECK(judge(far) == "invalid timestamp 0");  // Further back than 2^63 - 1 ms.
    far = with<int64_t>(batch_at::base_timestamp, INT64_MAX, simple(Codec::none, 1));
    CHECK(judge(far) == "invalid timestamp 0");
    far = with<int64_t>(batch_at::base_timestamp, INT64_MAX);
    CHECK(judge(far) == "invalid record 0 1");  // The second record overflows.
}

TEST_CASE("refused records are told in Kafka's words") {
    LogOptions options;
    options.timestamp_before_max_ms = 1000;
    std::vector<RejectedRecord> rejected;
    BatchBuilder builder;
    builder.add(now, {}, {});
    builder.add({now.ms - 1001}, {}, {});
    auto batch = builder.build();
    CHECK_FALSE(validate(batch, Origin::client, options, now, &rejected));
    REQUIRE(rejected.size() == 1);
    CHECK_FALSE(rejected[0].names_partition);
    CHECK(rejected[0].message ==
          "Timestamp 1699999998999 of message with offset 1 is out of range. The timestamp should be within [1699999999000, 1700003600000]");
    rejected.clear();
    options.keys_required = true;
    CHECK_FALSE(validate(batch, Origin::client, options, now, &rejected));
    REQUIRE(rejected.size() == 2);
    CHECK(rejected[0].names_partition);
    CHECK(rejected[0].message == "Compacted topic cannot accept message without key in topic partition ");
}

TEST_CASE("at most so many refused records are named") {
    LogOptions options;
    options.keys_required = true;
    BatchBuilder builder;
    for (size_t i = 0; i < engine::rejected_records_max + 5; ++i) builder.add(now, {}, {});
    std::vector<RejectedRecord> rejected;
    CHECK_FALSE(validate(builder.build(), Origin::client, options, now, &rejected));
    CHECK(rejected.size() == engine::rejected_records_max);
    CHECK(validate(simple(), Origin::client, options, now));
}

TEST_CASE("a wrong maximum is put right, and append time is set") {
    for (auto codec : {Codec::none, Codec::lz4}) {
        auto batch = with<int64_t>(batch_at::max_timestamp, 5, simple(codec));
        auto out = stored(batch, {});
        CHECK(BatchView::frame(out)->max_timestamp() == Timestamp{now.ms + 2});
        CHECK_FALSE(BatchView::frame(out)->is_log_append_time());

        LogOptions options;
        options.log_append_time = true;
        auto accepted = validate(batch, Origin::client, options, {123}).value();
        CHECK(accepted.log_append_time == Timestamp{123});
        out = stored(batch, options);
        CHECK(BatchView::frame(out)->is_log_append_time());
        CHECK(BatchView::frame(out)->max_timestamp() == now);
        CHECK(validate(batch, Origin::client, {}, now)->log_append_time == no_timestamp);
    }
    BatchBuilder builder;
    builder.add(no_timestamp, {}, {});
    auto out = stored(builder.build(), {});
    CHECK(BatchView::frame(out)->max_timestamp() == no_timestamp);
}

TEST_CASE("a topic's codec replaces the producer's, and nothing else changes") {
    for (auto source : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        for (auto target : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
            for (bool append_time : {false, true}) {
                CAPTURE(to_text(source));
                CAPTURE(to_text(target));
                auto batch = golden::bytes("batches.txt", "mixed-" + std::string(to_text(source)));
                LogOptions options;
                options.compression = target;
                options.log_append_time = append_time;
                auto out = stored(batch, options);
                auto view = BatchView::frame(out).value();
                CHECK(view.codec() == target);
                CHECK(view.is_log_append_time() == append_time);
                CHECK(view.size() == out.size());
                if (source == target && !append_time) {
                    set_base_offset(out, {0});
                    CHECK(out == batch);
                    continue;
                }
                Batch plain, original;
                REQUIRE(decompress(target, view.records(), plain, 1u << 20));
                REQUIRE(decompress(source, BatchView::frame(batch)->records(), original, 1u << 20));
                CHECK(plain == original);
                CHECK(view.record_count() == 5);
                CHECK(view.base_timestamp() == BatchView::frame(batch)->base_timestamp());
            }
        }
    }
}

TEST_CASE("recompression holds for large batches and keeps the producer") {
    std::mt19937_64 random(11);
    std::string value(300'000, '\0');
    for (auto& c : value) c = char('a' + random() % 8);
    for (auto source : {Codec::none, Codec::zstd}) {
        BatchBuilder::Options of;
        of.codec = source;
        of.producer_id = 9;
        of.producer_epoch = 1;
        of.base_sequence = 77;
        BatchBuilder builder(of);
        builder.add(now, as_bytes("a"), as_bytes(value));
        builder.add(now, as_bytes("b"), as_bytes(value));
        auto batch = builder.build();
        for (auto target : {Codec::none, Codec::gzip, Codec::lz4}) {
            LogOptions options;
            options.compression = target;
            auto out = stored(batch, options);
            auto view = BatchView::frame(out).value();
            CHECK(view.producer_id() == 9);
            CHECK(view.base_sequence() == 77);
            auto reader = RecordReader::open(view, 1u << 20).value();
            RecordView record;
            for (int i = 0; i < 2; ++i) {
                REQUIRE(reader.next(record));
                CHECK(as_text(*record.value) == value);
            }
        }
    }
}

TEST_CASE("our own batches are taken as they are") {
    BatchBuilder::Options of;
    of.leader_epoch = 5;
    of.base_offset = {42};
    of.control = true;
    BatchBuilder builder(of);
    builder.add({3}, {}, as_bytes("v"));
    auto batch = builder.build();
    LogOptions options;
    options.log_append_time = true;
    options.keys_required = true;
    auto accepted = validate(batch, Origin::controller, options, now).value();
    auto out = batch;
    accepted.stamp(out, {50}, {});
    auto view = BatchView::frame(out).value();
    CHECK(view.leader_epoch() == 5);
    CHECK(view.base_offset() == Offset{50});
    CHECK_FALSE(view.is_log_append_time());
    CHECK(view.crc_matches());
    accepted = validate(batch, Origin::coordinator, options, now).value();
    accepted.stamp(out, {50}, 6);
    CHECK(view.leader_epoch() == 6);
    CHECK(view.max_timestamp() == now);
    CHECK(view.crc_matches());
    options.max_message_bytes = 10;
    CHECK(judge(batch, options, Origin::coordinator) == "too large");
    CHECK(judge(batch, options, Origin::controller) == "accepted");
}

TEST_CASE("whatever is accepted can be read, whatever was damaged") {
    std::mt19937_64 random(12);
    int accepted_count = 0;
    for (int round = 0; round < 4000; ++round) {
        auto batch = golden::bytes("batches.txt", round % 3 ? "mixed-none" : "mixed-snappy");
        for (int flips = 1 + int(random() % 2); flips > 0; --flips) {
            auto at = batch_at::attributes + random() % (batch.size() - batch_at::attributes);
            batch[at] = random() % 2 ? batch[at] ^ std::byte(1 << random() % 8) : std::byte(random());
        }
        update_crc(batch);
        LogOptions options;
        if (round % 2) options.compression = Codec(random() % 5);
        auto accepted = validate(batch, Origin::client, options, now);
        if (!accepted) continue;
        ++accepted_count;
        auto out = stored(batch, options);
        auto view = BatchView::frame(out).value();
        auto reader = RecordReader::open(view, 1u << 20);
        REQUIRE(reader);
        RecordView record;
        int32_t count = 0;
        while (reader->next(record)) {
            CHECK(record.offset_delta == count++);
            CHECK(read_headers(record));
        }
        CHECK(reader->ok());
        CHECK(count == view.record_count());
    }
    CHECK(accepted_count > 100);
}
