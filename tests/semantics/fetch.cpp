// Fetch without sessions: names and ids, positions, limits, waiting.

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

namespace rafka::semantics {

namespace {

using Topic = FetchRequest::Topic;
using Asked = FetchRequest::Partition;

Asked from(int64_t offset, int32_t bytes_max = 1 << 20, int32_t partition = 0) {
    return {.partition = partition, .fetch_offset = {offset}, .partition_max_bytes = bytes_max};
}

FetchRequest one(Script& s, std::string_view topic, Asked asked) {
    return {.max_wait_ms = 0, .min_bytes = 0, .topics = s.list<Topic>({{.topic = topic, .partitions = s.list<Asked>({asked})}})};
}

FetchRequest by_id(Script& s, const Uuid& id, Asked asked) {
    return {.max_wait_ms = 0, .min_bytes = 0, .topics = s.list<Topic>({{.topic_id = id, .partitions = s.list<Asked>({asked})}})};
}

}  // namespace

void fetch(Script& s) {
    auto id = s.topic("fetch-a", 2);
    s.append("fetch-a", 0, s.batch({{"a"}, {"b", "k"}, {"c"}}));
    s.append("fetch-a", 0, s.batch({{"d"}, {"e"}}, with(Codec::lz4)));
    s.append("fetch-a", 0, s.batch({{"f"}}));

    for (int16_t version = 4; version <= 12; ++version) s.ask("from the start", one(s, "fetch-a", from(0)), version);
    for (int16_t version = 13; version <= 17; ++version) s.ask("from the start, by id", by_id(s, id, from(0)), version);
    for (int64_t offset : {1, 2, 3, 4, 5, 6}) s.ask("from " + std::to_string(offset), one(s, "fetch-a", from(offset)), 11);
    for (int64_t offset : {7ll, 100ll, -1ll, -2ll, -5ll, (long long)INT64_MAX}) {
        s.ask("out of range: " + std::to_string(offset), one(s, "fetch-a", from(offset)), 11);
        s.ask("out of range: " + std::to_string(offset), by_id(s, id, from(offset)), 17);
    }
    s.ask("out of range, oldest", one(s, "fetch-a", from(7)), 4);
    s.ask("empty partition", one(s, "fetch-a", from(0, 1 << 20, 1)), 11);

    for (int16_t version : {4, 7, 12}) s.ask("unknown topic", one(s, "fetch-none", from(0)), version);
    s.ask("bad topic", one(s, "fetch a", from(0)), 11);
    s.ask("empty topic", one(s, "", from(0)), 11);
    for (int32_t partition : {2, -1, INT32_MAX}) {
        s.ask("partition " + std::to_string(partition), one(s, "fetch-a", from(0, 1000, partition)), 11);
        s.ask("partition " + std::to_string(partition), by_id(s, id, from(0, 1000, partition)), 17);
    }
    Uuid unknown;
    unknown.bytes[2] = std::byte{2};
    for (int16_t version : {13, 15, 17}) s.ask("unknown id", by_id(s, unknown, from(0)), version);
    s.ask("no id", by_id(s, Uuid{}, from(0)), 13);
    FetchRequest mixed{.max_wait_ms = 0, .min_bytes = 0, .topics = s.list<Topic>({
        {.topic_id = unknown, .partitions = s.list<Asked>({from(0), from(0, 1000, 1)})}, {.topic_id = id, .partitions = s.list<Asked>({from(5), from(9, 1000, 1), from(0, 1000, 7)})}})};
    s.ask("good and bad", mixed, 15);
    FetchRequest nothing{.max_wait_ms = 0, .min_bytes = 0};
    s.ask("nothing", nothing, 4);
    s.ask("nothing", nothing, 11);
    s.ask("nothing", nothing, 17);
    FetchRequest twice{.max_wait_ms = 0, .min_bytes = 0, .topics = s.list<Topic>({{.topic = "fetch-a", .partitions = s.list<Asked>({from(5), from(0), from(0, 1000, 1)})}})};
    s.ask("a partition twice", twice, 11);

    for (int32_t epoch : {-1, 0, 1, 5, -2}) {
        auto asked = from(5);
        asked.current_leader_epoch = epoch;
        for (int16_t version : {8, 9, 11, 12}) s.ask("leader epoch " + std::to_string(epoch), one(s, "fetch-a", asked), version);
        s.ask("leader epoch " + std::to_string(epoch), by_id(s, id, asked), 16);
    }
    for (int32_t epoch : {0, 1, 5}) {
        auto asked = from(5);
        asked.last_fetched_epoch = epoch;
        s.ask("last fetched epoch " + std::to_string(epoch), one(s, "fetch-a", asked), 12);
        asked = from(6);
        asked.last_fetched_epoch = epoch;
        s.ask("last fetched epoch at the end " + std::to_string(epoch), by_id(s, id, asked), 17);
    }
    for (int8_t level : {0, 1, 2, -1}) {
        auto request = one(s, "fetch-a", from(5));
        request.isolation_level = level;
        for (int16_t version : {4, 11}) {
            if (level != 0 && level != 1) s.differs("Kafka stumbles (-1) over an unknown isolation level; to rafka all but 1 are 0");
            s.ask("isolation level " + std::to_string(level), request, version);
        }
    }
    auto racked = one(s, "fetch-a", from(5));
    racked.rack_id = "here";
    s.ask("with a rack", racked, 11);
}

void fetch_limits(Script& s) {
    s.topic("fetch_limits-a", 3);
    for (int32_t partition : {0, 1}) {
        for (int i = 0; i < 4; ++i) s.append("fetch_limits-a", partition, s.keep(make_batch_of(1, 930)));
    }
    s.append("fetch_limits-a", 2, s.keep(make_batch_of(1, 30)));
    s.note("bytes of a batch", std::to_string(make_batch_of(1, 930).size()));

    for (int32_t bytes : {0, 1, 999, 1000, 1001, 1002, 1003, 1999, 2000, 2001, 2002, 2003, 3500, 4100, -1}) {
        if (bytes < 0) s.differs("Kafka stumbles (-1) over a limit below zero; to rafka it is zero");
        s.ask("partition's bytes " + std::to_string(bytes), one(s, "fetch_limits-a", from(0, bytes)), 11);
    }
    auto three = [&](int32_t first, int32_t second, int32_t third, int32_t all) {
        FetchRequest request{.max_wait_ms = 0, .min_bytes = 0, .max_bytes = all};
        request.topics = s.list<Topic>({{.topic = "fetch_limits-a", .partitions = s.list<Asked>({from(0, first, 0), from(0, second, 1), from(0, third, 2)})}});
        return request;
    };
    s.ask("no room but for the first", three(0, 0, 0, 10000), 11);
    s.ask("no room but for the first", three(100, 100, 1000, 10000), 11);
    for (int32_t all : {0, 1, 500, 1000, 1500, 2100, 4100, 5000, 8100, 100000}) {
        if (all == 1500 || all == 2100) s.differs("Kafka fills the room with a part of a batch; rafka has the next partition use it");
        s.ask("all bytes " + std::to_string(all), three(10000, 10000, 10000, all), 11);
    }
    s.ask("small partitions, small whole", three(1500, 1500, 1500, 1600), 11);
    auto order = three(0, 0, 0, 0);
    order.topics = s.list<Topic>({{.topic = "fetch_limits-a", .partitions = s.list<Asked>({from(1, 10000, 2), from(3, 10000, 1), from(0, 10000, 0)})}});
    order.max_bytes = 1200;
    s.ask("the order asked", order, 11);
    order.topics = s.list<Topic>({{.topic = "fetch_limits-a", .partitions = s.list<Asked>({from(77, 10000, 1), from(0, 10000, 0)})}});
    order.max_bytes = 1;
    s.ask("an error first", order, 11);

    // Waiting. The transcript has whether the time passed.
    auto timed = [&](std::string_view label, FetchRequest request, int16_t version = 11) {
        auto start = std::chrono::steady_clock::now();
        s.ask(label, request, version);
        auto took = std::chrono::steady_clock::now() - start;
        s.note(std::string(label) + ": waited", took > std::chrono::milliseconds(600) ? "yes" : "no");
    };
    auto waiting = one(s, "fetch_limits-a", from(4));
    waiting.max_wait_ms = 700;
    waiting.min_bytes = 1;
    timed("nothing comes", waiting);
    timed("nothing comes, oldest", waiting, 4);
    waiting.min_bytes = 0;
    timed("nothing needed", waiting);
    waiting = one(s, "fetch_limits-a", from(1, 1000));
    waiting.max_wait_ms = 700;
    waiting.min_bytes = 1001;
    timed("the partition's limit is below the minimum", waiting);
    waiting = one(s, "fetch_limits-a", from(0));
    waiting.max_wait_ms = 700;
    waiting.min_bytes = 3000;
    timed("more is there than needed", waiting);
    waiting.min_bytes = 100000;
    timed("less is there than needed", waiting);
    waiting.max_bytes = 900;
    timed("the minimum is above the maximum", waiting);
    waiting = three(10000, 10000, 10000, 1 << 20);
    waiting.max_wait_ms = 700;
    waiting.min_bytes = 7000;
    timed("enough from several", waiting);
    waiting = one(s, "fetch_limits-a", from(99));
    waiting.max_wait_ms = 700;
    waiting.min_bytes = 1;
    timed("an error does not wait", waiting);
    waiting = one(s, "fetch_limits-none", from(0));
    waiting.max_wait_ms = 700;
    waiting.min_bytes = 1;
    timed("an unknown topic does not wait", waiting);
    FetchRequest nothing{.max_wait_ms = 700, .min_bytes = 1};
    timed("nothing asked", nothing);

    auto other = s.other();
    waiting = one(s, "fetch_limits-a", from(1, 1 << 20, 2));
    waiting.max_wait_ms = 15000;
    waiting.min_bytes = 1;
    auto start = std::chrono::steady_clock::now();
    s.send(other, waiting, 11);
    s.append("fetch_limits-a", 2, s.batch({{"wakes"}}));
    s.take<FetchRequest>(other, "woken", 11);
    s.note("woken: in time", std::chrono::steady_clock::now() - start < std::chrono::seconds(10) ? "yes" : "no");
    waiting = one(s, "fetch_limits-a", from(2, 1 << 20, 2));
    waiting.max_wait_ms = 15000;
    waiting.min_bytes = 100;
    start = std::chrono::steady_clock::now();
    s.send(other, waiting, 11);
    s.append("fetch_limits-a", 2, s.batch({{"not enough"}}));
    s.append("fetch_limits-a", 2, s.batch({{"enough"}}));
    s.take<FetchRequest>(other, "woken when it is enough", 11);
    s.note("woken when it is enough: in time", std::chrono::steady_clock::now() - start < std::chrono::seconds(10) ? "yes" : "no");
}

}  // namespace rafka::semantics
