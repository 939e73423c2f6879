// Produce: what is stored, and what is refused.

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

namespace rafka::semantics {

namespace {

using Topic = ProduceRequest::Topic;
using Partition = ProduceRequest::Partition;

ProduceRequest to(Script& s, std::string_view topic, int32_t partition, std::optional<Bytes> records, int16_t acks = -1) {
    return {.acks = acks, .timeout_ms = 5000, .topic_data = s.list<Topic>({{.name = topic, .partition_data = s.list<Partition>({{partition, records}})}})};
}

void read(Script& s, std::string_view label, std::string_view topic, int32_t partition = 0) {
    using Asked = FetchRequest::Partition;
    FetchRequest request{.max_wait_ms = 0, .min_bytes = 0, .topics = s.list<FetchRequest::Topic>({{.topic = topic, .partitions = s.list<Asked>({{.partition = partition, .fetch_offset = {0}, .partition_max_bytes = 1 << 20}})}})};
    s.ask(label, request, 11);
}

int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void produce(Script& s) {
    auto id = s.topic("produce-a", 2);
    auto one = s.batch({{"v"}});
    for (int16_t version = 3; version <= 12; ++version) s.ask("one record", to(s, "produce-a", 0, one), version);
    ProduceRequest by_id{.acks = 1, .timeout_ms = 5000, .topic_data = s.list<Topic>({{.topic_id = id, .partition_data = s.list<Partition>({{0, one}})}})};
    s.ask("one record, by id", by_id, 13);
    s.ask("acks 1", to(s, "produce-a", 1, s.batch({{"a", "k"}, {"b"}, {std::nullopt, "k"}}), 1), 9);
    for (auto codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        s.ask(std::string(to_text(codec)), to(s, "produce-a", 1, s.batch({{"a"}, {"b"}}, with(codec))), 7);
    }
    read(s, "read again", "produce-a", 1);

    // No answer; what follows is answered, and comes later.
    s.send(s.client(), to(s, "produce-a", 1, s.batch({{"quiet"}}), 0), 9);
    s.ask("after acks 0", to(s, "produce-a", 1, s.batch({{"loud"}})), 9);
    read(s, "read after acks 0", "produce-a", 1);
    s.send(s.client(), to(s, "produce-none", 0, one, 0), 9);
    s.note("acks 0 to an unknown topic", s.client().is_closed(std::chrono::seconds(5)) ? "closed" : "open");
    s.send(s.client(), to(s, "produce-a", 7, one, 0), 9);
    s.note("acks 0 to an unknown partition", s.client().is_closed(std::chrono::seconds(5)) ? "closed" : "open");

    for (int16_t acks : {-2, 2, 3, 32767}) s.ask("acks " + std::to_string(acks), to(s, "produce-a", 0, one, acks), 9);
    s.ask("acks 2, unknown topic", to(s, "produce-none", 0, one, 2), 9);
    for (int16_t version : {3, 8, 12}) s.ask("unknown topic", to(s, "produce-none", 0, one), version);
    s.ask("unknown partition", to(s, "produce-a", 2, one), 9);
    s.ask("negative partition", to(s, "produce-a", -1, one), 9);
    s.ask("bad topic name", to(s, "produce a", 0, one), 9);
    s.ask("empty topic name", to(s, "", 0, one), 9);
    Uuid unknown;
    unknown.bytes[7] = std::byte{7};
    by_id.topic_data = s.list<Topic>({{.topic_id = unknown, .partition_data = s.list<Partition>({{0, one}})}, {.topic_id = id, .partition_data = s.list<Partition>({{9, one}})}});
    s.ask("unknown id", by_id, 13);
    by_id.topic_data = s.list<Topic>({{.topic_id = {}, .partition_data = s.list<Partition>({{0, one}})}});
    s.ask("no id", by_id, 13);
    ProduceRequest several{.acks = -1, .timeout_ms = 5000, .topic_data = s.list<Topic>({
        {.name = "produce-none", .partition_data = s.list<Partition>({{0, one}})},
        {.name = "produce-a", .partition_data = s.list<Partition>({{1, one}, {5, one}, {0, one}})}})};
    s.ask("several", several, 9);
    several.topic_data = {};
    s.ask("nothing", several, 9);
    several.acks = 1;
    s.ask("nothing", several, 3);
    several.topic_data = s.list<Topic>({{.name = "produce-a", .partition_data = {}}});
    s.differs("rafka names the topic all the same", "{[{\"produce-a\", []}], 0}");
    s.ask("a topic without partitions", several, 9);

    s.topic("produce-insync", 1, {{"min.insync.replicas", "2"}});
    s.ask("more in-sync replicas than there are", to(s, "produce-insync", 0, one), 9);
    s.ask("more in-sync replicas than there are, acks 1", to(s, "produce-insync", 0, one, 1), 9);

    s.topic("produce-stamped", 1, {{"message.timestamp.type", "LogAppendTime"}});
    s.ask("log append time", to(s, "produce-stamped", 0, s.batch({{"a"}, {"b"}})), 9);
    s.ask("log append time, compressed", to(s, "produce-stamped", 0, s.batch({{"a"}, {"b"}}, with(Codec::lz4))), 9);
    s.ask("log append time, far future", to(s, "produce-stamped", 0, s.batch({{.time = now_ms() + 100 * 86'400'000ll}})), 9);
    auto old = s.batch({{"a"}});
    s.ask("log append time, client says so", to(s, "produce-stamped", 0, s.keep(patched<int16_t>(old, batch_at::attributes, 8))), 9);
    s.differs("Kafka takes LogAppendTime of a client, and clears it; rafka refuses it");
    s.ask("create time, client says log append time", to(s, "produce-insync", 0, s.keep(patched<int16_t>(old, batch_at::attributes, 8))), 9);

    // The broker compresses itself.
    s.topic("produce-recompressed", 1, {{"compression.type", "gzip"}});
    for (auto codec : {Codec::none, Codec::zstd, Codec::gzip}) {
        s.ask(std::string(to_text(codec)) + " to a gzip topic", to(s, "produce-recompressed", 0, s.batch({{"a", "k"}, {"b"}}, with(codec))), 9);
    }
    read(s, "a gzip topic", "produce-recompressed");
    s.topic("produce-plain", 1, {{"compression.type", "uncompressed"}});
    s.ask("zstd to an uncompressed topic", to(s, "produce-plain", 0, s.batch({{"a", "k"}, {"b"}}, with(Codec::zstd))), 9);
    read(s, "an uncompressed topic", "produce-plain");

    s.topic("produce-compact", 1, {{"cleanup.policy", "compact"}});
    s.ask("compacted, with key", to(s, "produce-compact", 0, s.batch({{"a", "k"}})), 9);
    s.ask("compacted, empty key", to(s, "produce-compact", 0, s.batch({{"a", ""}})), 9);
    for (int16_t version : {3, 7, 8, 11}) s.ask("compacted, without key", to(s, "produce-compact", 0, s.batch({{"a", "k"}, {"b"}, {"c"}})), version);
    s.ask("compacted, without key, compressed", to(s, "produce-compact", 0, s.batch({{"a"}, {"b", "k"}}, with(Codec::snappy))), 9);
}

void produce_refused(Script& s) {
    constexpr std::string_view topic = "produce_refused-a";
    s.topic(topic);
    auto good = s.batch({{"a", "k"}, {"b"}, {"c"}});
    auto ask = [&](std::string_view label, std::optional<Bytes> records, int16_t version = 9) { s.ask(label, to(s, topic, 0, records), version); };
    auto patch = [&]<class T>(std::string_view label, size_t at, T value) { ask(label, s.keep(patched<T>(good, at, value))); };

    ask("no records", Bytes());
    ask("no records", Bytes(), 3);
    std::vector<std::byte> twice(good.begin(), good.end());
    twice.insert(twice.end(), good.begin(), good.end());
    ask("two batches", s.keep(twice));
    ask("two batches", s.keep(twice), 3);
    ask("a batch and some bytes", s.keep({twice.begin(), twice.begin() + long(good.size()) + 5}));
    ask("a batch and half of one", s.keep({twice.begin(), twice.end() - 5}));
    ask("half a batch", good.first(good.size() / 2));
    ask("half a header", good.first(30));
    ask("a few bytes", good.first(7));
    ask("a size and no more", good.first(12));
    {
        auto damaged = std::vector<std::byte>(good.begin(), good.end());
        damaged.back() ^= std::byte{1};
        ask("bad CRC", s.keep(damaged));
        ask("bad CRC", s.keep(damaged), 3);
        ask("bad CRC", s.keep(damaged), 13 - 1);
    }
    for (int8_t magic : {0, 1, 3, -1}) {
        auto copy = std::vector<std::byte>(good.begin(), good.end());
        copy[batch_at::magic] = std::byte(uint8_t(magic));
        ask("magic " + std::to_string(magic), s.keep(copy));
    }
    for (int32_t length : {0, 13, 48, 49, -1, INT32_MAX, int32_t(good.size()) - 13, int32_t(good.size()) - 11}) {
        auto copy = std::vector<std::byte>(good.begin(), good.end());
        store_be(copy.data() + batch_at::length, length);
        if (length == INT32_MAX) s.differs("Kafka's sum overflows, and it answers -1");
        ask("length " + std::to_string(length), s.keep(copy));
    }
    patch("base offset 7", batch_at::base_offset, int64_t(7));
    patch("base offset -1", batch_at::base_offset, int64_t(-1));
    patch("leader epoch 99", batch_at::leader_epoch, int32_t(99));
    for (int32_t delta : {0, 1, 3, -1}) patch("last offset delta " + std::to_string(delta), batch_at::last_offset_delta, delta);
    for (int32_t count : {0, 1, 2, 4, -1, INT32_MAX}) patch("record count " + std::to_string(count), batch_at::record_count, count);
    {
        auto copy = patched<int32_t>(good, batch_at::record_count, 2);
        ask("record count and delta of two, bytes of three", s.keep(patched<int32_t>(copy, batch_at::last_offset_delta, 1)));
        copy = patched<int32_t>(good, batch_at::record_count, 4);
        s.differs("rafka names the record that is not there", "{[{\"produce_refused-a\", [{0, 87, -1, -1, 0, [{3, null}], null}]}], 0}");
        ask("record count and delta of four, bytes of three", s.keep(patched<int32_t>(copy, batch_at::last_offset_delta, 3)));
        copy = patched<int32_t>(good, batch_at::record_count, 0);
        ask("record count 0 and delta -1", s.keep(patched<int32_t>(copy, batch_at::last_offset_delta, -1)));
    }
    patch("control batch", batch_at::attributes, int16_t(0x20));
    patch("transactional, without a producer", batch_at::attributes, int16_t(0x10));
    patch("transactional control batch", batch_at::attributes, int16_t(0x30));
    for (int codec : {5, 6, 7}) {
        s.differs("Kafka has no answer but -1 for a codec that it does not know; rafka says 76");
        patch("codec " + std::to_string(codec), batch_at::attributes, int16_t(codec));
    }
    for (int codec : {1, 2, 3, 4}) {
        s.differs("Kafka has no answer but -1 for bytes that do not decompress; rafka says 87");
        patch("codec " + std::to_string(codec) + ", plain bytes", batch_at::attributes, int16_t(codec));
    }
    s.topic("produce_refused-bits");
    s.differs("Kafka takes attribute bits that a producer may not set; rafka refuses them");
    s.ask("delete horizon", to(s, "produce_refused-bits", 0, s.keep(patched<int16_t>(good, batch_at::attributes, 0x40))), 9);
    auto zipped = s.batch({{"a"}, {"b"}}, with(Codec::zstd));
    for (int16_t version : {3, 6, 7}) ask("zstd", zipped, version);
    for (int16_t count : {1, 3, 0}) {
        for (auto codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
            auto two = s.batch({{"a"}, {"b"}}, with(codec));
            auto copy = patched<int32_t>(two, batch_at::record_count, count);
            if (count == 3) s.differs("rafka names the record that is not there", "{[{\"produce_refused-a\", [{0, 87, -1, -1, 0, [{2, null}], null}]}], 0}");
            ask(std::string(to_text(codec)) + " of two, count " + std::to_string(count), s.keep(patched<int32_t>(copy, batch_at::last_offset_delta, count - 1)));
        }
    }
    patch("base timestamp -1", batch_at::base_timestamp, int64_t(-1));
    patch("max timestamp -1", batch_at::max_timestamp, int64_t(-1));
    patch("max timestamp too small", batch_at::max_timestamp, then - 1);
    patch("max timestamp too large", batch_at::max_timestamp, then + 1000);
    patch("producer without epoch", batch_at::producer_id, int64_t(5));
    read(s, "what was taken", topic);

    // Times.
    s.topic("produce_refused-times", 1, {{"message.timestamp.before.max.ms", "1000"}, {"message.timestamp.after.max.ms", "3600000"}});
    auto timed = [&](std::string_view label, Bytes records, int16_t version = 9) { s.ask(label, to(s, "produce_refused-times", 0, records), version); };
    timed("now", s.batch({{.time = now_ms() + 60'000}}));
    timed("too old", s.batch({{.time = now_ms() + 60'000}, {"b"}}));
    timed("too old", s.batch({{"a"}, {"b"}}), 7);
    timed("too old, compressed", s.batch({{"a"}, {"b"}}, with(Codec::lz4)));
    timed("too far ahead", s.batch({{.time = now_ms() + 7'200'000}}));
    timed("no time", s.batch({{.time = -1}}));
    s.ask("two hours ahead, by default", to(s, topic, 0, s.batch({{.time = now_ms() + 7'200'000}})), 9);
    s.ask("no time, by default", to(s, topic, 0, s.batch({{.time = -1}})), 9);
    s.ask("time 0, by default", to(s, topic, 0, s.batch({{.time = 0}})), 9);
    s.ask("time -2, by default", to(s, topic, 0, s.batch({{.time = -2}})), 9);

    // Sizes.
    s.topic("produce_refused-small", 1, {{"max.message.bytes", "1000"}});
    auto sized = [&](std::string_view label, Bytes records, int16_t version = 9) { s.ask(label, to(s, "produce_refused-small", 0, records), version); };
    auto exact = make_batch_of(1, 1000 - batch_header_size - 9);
    s.note("bytes of the batch that just fits", std::to_string(exact.size()));
    sized("as large as may be", s.keep(exact));
    sized("one more", s.keep(make_batch_of(1, 1000 - batch_header_size - 8)));
    sized("too large", s.keep(make_batch_of(10, 200)), 3);
    sized("large, but compressed small", s.keep(make_batch_of(100, 200, with(Codec::gzip))));
    s.ask("too large by default", to(s, topic, 0, s.keep(make_batch_of(1, 1'048'588))), 9);
    s.ask("large, by default", to(s, topic, 0, s.keep(make_batch_of(1, 1'048'588 - batch_header_size - 15))), 9);
    auto stretched = s.keep(make_batch_of(1, 2000));
    sized("too large and broken", s.keep(patched<int16_t>(stretched, batch_at::attributes, 7)));
}

}  // namespace rafka::semantics
