#include "engine/golden.hpp"
#include "engine/record_walk.hpp"

#include <rafka/record_batch.hpp>

#include "base/endian.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace rafka;

namespace {

constexpr size_t plenty = 1u << 20;

std::vector<std::byte> golden_batch(std::string_view name) { return golden::bytes("batches.txt", name); }

std::string show(const std::optional<Bytes>& bytes) { return bytes ? "'" + std::string(as_text(*bytes)) + "'" : "null"; }

// "offset@timestamp key=value header:value ...", a record per line.
std::string show(BatchView batch) {
    auto reader = RecordReader::open(batch, plenty);
    if (!reader) return "not opened";
    std::string out;
    RecordView record;
    while (reader->next(record)) {
        out += std::to_string(reader->offset_of(record).value) + "@" + std::to_string(reader->timestamp_of(record).ms) + " " +
               show(record.key) + "=" + show(record.value);
        auto headers = read_headers(record);
        if (!headers) return out + " bad headers";
        for (auto& header : *headers) out += " " + std::string(header.key) + ":" + show(header.value);
        out += "\n";
    }
    return reader->ok() ? out : out + "broken";
}

std::string abc_100_times() {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "abc";
    return text;
}

const std::string mixed = "0@1700000000000 'k0'='v0'\n"
                          "1@1699999999995 null='v1' h1:'x' h2:null :'' \u00fc:'\u00e9'\n"
                          "2@1700000000009 'k2'=null\n"
                          "3@1700000000001 ''=''\n"
                          "4@1700000000002 'k4'='" + abc_100_times() + "'\n";

}  // namespace

TEST_CASE("batches that Kafka made are read, whatever their codec") {
    for (auto name : {"mixed-none", "mixed-gzip", "mixed-snappy", "mixed-lz4", "mixed-zstd"}) {
        CAPTURE(name);
        auto bytes = golden_batch(name);
        auto batch = BatchView::frame(bytes).value();
        CHECK(batch.crc_matches());
        CHECK(to_text(batch.codec()) == std::string_view(name).substr(6));
        CHECK(batch.size() == bytes.size());
        CHECK(batch.record_count() == 5);
        CHECK(batch.last_offset() == Offset{4});
        CHECK(batch.leader_epoch() == 7);
        CHECK(batch.max_timestamp() == Timestamp{1700000000009});
        CHECK_FALSE(batch.has_producer());
        CHECK(batch.last_sequence() == -1);
        CHECK(show(batch) == mixed);
    }
    for (auto name : {"big-gzip", "big-snappy", "big-lz4", "big-zstd"}) {
        CAPTURE(name);
        auto bytes = golden_batch(name);
        auto reader = RecordReader::open(BatchView::frame(bytes).value(), plenty).value();
        RecordView record;
        for (auto key : {"a", "b"}) {
            REQUIRE(reader.next(record));
            CHECK(as_text(*record.key) == key);
            REQUIRE(record.value->size() == 100000);
            CHECK((*record.value)[99999] == std::byte(99999 % 7));
        }
        CHECK_FALSE(reader.next(record));
        CHECK(reader.ok());
    }
}

TEST_CASE("a batch built here is Kafka's, byte for byte") {
    BatchBuilder::Options options;
    options.leader_epoch = 7;
    BatchBuilder builder(options);
    HeaderView headers[] = {{"h1", as_bytes("x")}, {"h2", {}}, {"", as_bytes("")}, {"\u00fc", as_bytes("\u00e9")}};
    auto repeated = abc_100_times();
    builder.add({1700000000000}, as_bytes("k0"), as_bytes("v0"));
    builder.add({1699999999995}, {}, as_bytes("v1"), headers);
    builder.add({1700000000009}, as_bytes("k2"), {});
    builder.add({1700000000001}, as_bytes(""), as_bytes(""));
    builder.add({1700000000002}, as_bytes("k4"), as_bytes(repeated));
    CHECK(builder.build() == golden_batch("mixed-none"));
    CHECK(builder.record_count() == 0);

    options.producer_id = 4711;
    options.producer_epoch = 3;
    options.base_sequence = INT32_MAX - 1;
    BatchBuilder idempotent(options);
    for (auto value : {"0", "1", "2", "3"}) idempotent.add({10 + value[0] - '0'}, {}, as_bytes(value));
    CHECK(idempotent.build() == golden_batch("idempotent"));
}

TEST_CASE("times and sequences of special batches") {
    auto bytes = golden_batch("append-time");
    auto batch = BatchView::frame(bytes).value();
    CHECK(batch.is_log_append_time());
    CHECK(show(batch).starts_with("0@1700000000777 'k0'='v0'\n1@1700000000777 null="));

    bytes = golden_batch("idempotent");
    batch = BatchView::frame(bytes).value();
    CHECK(batch.producer_id() == 4711);
    CHECK(batch.producer_epoch() == 3);
    CHECK(batch.base_sequence() == INT32_MAX - 1);
    CHECK(batch.last_sequence() == 1);

    bytes = golden_batch("abort");
    batch = BatchView::frame(bytes).value();
    CHECK(batch.is_control());
    CHECK(batch.is_transactional());
    CHECK(batch.base_offset() == Offset{101});

    bytes = golden_batch("empty");
    batch = BatchView::frame(bytes).value();
    CHECK(batch.record_count() == 0);
    CHECK(batch.next_offset() == Offset{210});
    CHECK(batch.last_sequence() == 26);
    CHECK(show(batch) == "");
}

TEST_CASE("offset and epoch are patched without a new CRC, times with one") {
    auto bytes = golden_batch("mixed-none");
    auto batch = BatchView::frame(bytes).value();
    set_base_offset(bytes, {1000});
    set_leader_epoch(bytes, 8);
    CHECK(batch.crc_matches());
    CHECK(batch.last_offset() == Offset{1004});
    CHECK(batch.leader_epoch() == 8);
    set_log_append_time(bytes, {1700000000777});
    CHECK(batch.crc_matches());
    set_base_offset(bytes, {0});
    set_leader_epoch(bytes, 7);
    // Kafka's builder has the append time as base timestamp as well; as readers see it the batches are the same.
    auto kafkas = golden_batch("append-time");
    CHECK(show(batch) == show(BatchView::frame(kafkas).value()));
    bytes[batch_header_size] ^= std::byte{1};
    CHECK_FALSE(batch.crc_matches());
}

TEST_CASE("what is no batch is refused with the right reason") {
    auto bytes = golden_batch("mixed-none");
    auto reason = [&] {
        auto batch = BatchView::frame(bytes);
        return batch ? Errc{} : batch.error();
    };
    auto whole = bytes;
    for (size_t size = 0; size < whole.size(); ++size) {
        bytes.assign(whole.begin(), whole.begin() + long(size));
        CHECK(reason() == Errc::malformed);
    }
    bytes = whole;
    bytes.push_back(std::byte{});
    CHECK(BatchView::frame(bytes)->size() == whole.size());
    for (int32_t length : {-1, 0, 13, 48, INT32_MIN}) {
        store_be(bytes.data() + batch_at::length, length);
        CHECK(reason() == Errc::corrupt_batch);
    }
    for (int32_t length : {int32_t(whole.size()), INT32_MAX}) {
        store_be(bytes.data() + batch_at::length, length);
        CHECK(reason() == Errc::malformed);
    }
    bytes = whole;
    for (int magic : {0, 1, 3, 255}) {
        bytes[batch_at::magic] = std::byte(magic);
        CHECK(reason() == Errc::corrupt_batch);
    }
}

TEST_CASE("damaged records end the reading, never more") {
    std::mt19937_64 random(1);
    for (auto name : {"mixed-none", "mixed-gzip", "mixed-snappy", "mixed-lz4", "mixed-zstd", "big-lz4", "abort"}) {
        auto whole = golden_batch(name);
        for (int round = 0; round < 400; ++round) {
            auto bytes = whole;
            for (int flips = 1 + int(random() % 3); flips > 0; --flips) {
                auto at = batch_header_size + random() % (bytes.size() - batch_header_size);
                bytes[at] = std::byte(random());
            }
            auto reader = RecordReader::open(BatchView::frame(bytes).value(), plenty);
            if (!reader) continue;
            RecordView record;
            while (reader->next(record)) (void)read_headers(record);
        }
    }
}

TEST_CASE("records come back from a batch built at random, with every codec") {
    std::mt19937_64 random(2);
    auto text = [&] { return std::string(random() % 4 == 0 ? random() % 5000 : random() % 20, char('a' + random() % 26)); };
    for (int round = 0; round < 200; ++round) {
        BatchBuilder::Options options;
        options.codec = Codec(round % 5);
        options.base_offset = {int64_t(random() >> 2)};
        BatchBuilder builder(options);
        std::string expected;
        for (auto count = 1 + random() % 30; count > 0; --count) {
            auto key = text(), value = text(), name = text();
            std::optional<Bytes> maybe_key, maybe_value;
            if (random() % 3) maybe_key = as_bytes(key);
            if (random() % 5) maybe_value = as_bytes(value);
            std::vector<HeaderView> headers(random() % 3, HeaderView{name, maybe_value});
            Timestamp time{int64_t(random() % 2'000'000'000'000)};
            expected += std::to_string(options.base_offset.value + builder.record_count()) + "@" + std::to_string(time.ms) + " " +
                        show(maybe_key) + "=" + show(maybe_value);
            for (auto& header : headers) expected += " " + std::string(header.key) + ":" + show(header.value);
            expected += "\n";
            builder.add(time, maybe_key, maybe_value, headers);
        }
        auto bytes = builder.build();
        auto batch = BatchView::frame(bytes).value();
        CHECK(batch.crc_matches());
        CHECK(show(batch) == expected);
    }
}

TEST_CASE("a walk sees what a reader sees, and takes a window's memory") {
    for (auto name : {"mixed-none", "mixed-gzip", "mixed-snappy", "mixed-lz4", "mixed-zstd", "big-gzip", "big-snappy", "big-lz4", "big-zstd",
                      "append-time", "idempotent", "abort", "empty"}) {
        CAPTURE(name);
        auto bytes = golden_batch(name);
        auto batch = BatchView::frame(bytes).value();
        auto reader = RecordReader::open(batch, plenty).value();
        auto walk = engine::RecordWalk::open(batch).value();
        RecordView record;
        engine::RecordGlance glance;
        while (reader.next(record)) {
            REQUIRE(walk.next(glance).value());
            CHECK(glance.offset_delta == record.offset_delta);
            CHECK(glance.timestamp == reader.timestamp_of(record));
            CHECK(glance.has_key == record.key.has_value());
            CHECK_FALSE(glance.has_attributes);
        }
        CHECK_FALSE(walk.next(glance).value());
    }
}
