// ListOffsets.

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

namespace rafka::semantics {

namespace {

using Topic = ListOffsetsRequest::Topic;
using Asked = ListOffsetsRequest::Partition;

ListOffsetsRequest one(Script& s, std::string_view topic, Asked asked) {
    return {.replica_id = -1, .topics = s.list<Topic>({{topic, s.list<Asked>({asked})}}), .timeout_ms = 1000};
}

}  // namespace

void list_offsets(Script& s) {
    constexpr std::string_view topic = "list_offsets-a";
    s.topic(topic, 3);
    s.append(topic, 0, s.batch({{.time = then}, {.time = then + 10}, {.time = then + 5}}));
    s.append(topic, 0, s.batch({{.time = then + 30}, {.time = then + 20}}));
    s.append(topic, 0, s.batch({{.time = then + 3}}));

    for (int64_t position : {-1, -2, -3, -4, -5, -6, -7, -100}) {
        for (int16_t version : {1, 2, 4, 5, 6, 7, 8, 9, 10, 11}) {
            s.ask("position " + std::to_string(position), one(s, topic, {0, -1, {position}}), version);
        }
        s.ask("position " + std::to_string(position) + ", empty", one(s, topic, {1, -1, {position}}), 11);
    }
    s.ask("smallest time", one(s, topic, {0, -1, {INT64_MIN}}), 11);
    for (int64_t time : {int64_t(0), then - 1, then, then + 1, then + 5, then + 6, then + 10, then + 11, then + 20, then + 21, then + 30, then + 31, int64_t(INT64_MAX)}) {
        s.ask("time " + std::to_string(time), one(s, topic, {0, -1, {time}}), 1);
        s.ask("time " + std::to_string(time), one(s, topic, {0, -1, {time}}), 7);
        s.ask("time " + std::to_string(time) + ", empty", one(s, topic, {1, -1, {time}}), 7);
    }

    // Inside of compressed batches.
    for (auto codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
        auto name = s.text("list_offsets-" + std::string(to_text(codec)));
        s.topic(name);
        s.append(name, 0, s.batch({{.time = then}, {.time = then + 20}, {.time = then + 10}, {.time = then + 20}}, with(codec)));
        s.append(name, 0, s.batch({{.time = then + 15}, {.time = then + 40}}, with(codec)));
        for (int64_t time : {then, then + 5, then + 11, then + 20, then + 21, then + 40, then + 41}) {
            s.ask(std::string(to_text(codec)) + ", time " + std::to_string(time), one(s, name, {0, -1, {time}}), 10);
        }
        s.ask(std::string(to_text(codec)) + ", largest time", one(s, name, {0, -1, {-3}}), 10);
    }
    s.topic("list_offsets-same");
    s.append("list_offsets-same", 0, s.batch({{"a"}, {"b"}, {"c"}}));
    s.append("list_offsets-same", 0, s.batch({{"d"}, {"e"}}, with(Codec::gzip)));
    s.ask("largest time, many have it", one(s, "list_offsets-same", {0, -1, {-3}}), 10);
    s.append("list_offsets-same", 0, s.batch({{.time = -1}}));
    s.ask("largest time, the last has none", one(s, "list_offsets-same", {0, -1, {-3}}), 10);
    s.topic("list_offsets-untimed");
    s.append("list_offsets-untimed", 0, s.batch({{.time = -1}, {.time = -1}}));
    s.differs("Kafka names the first record though it has no time; rafka answers as for an empty partition");
    s.ask("largest time, none has one", one(s, "list_offsets-untimed", {0, -1, {-3}}), 10);
    s.ask("time 0, none has one", one(s, "list_offsets-untimed", {0, -1, {0}}), 10);

    for (int32_t epoch : {-1, 0, 1, 7, -2}) {
        for (int16_t version : {3, 4, 11}) s.ask("leader epoch " + std::to_string(epoch), one(s, topic, {0, epoch, {-1}}), version);
    }
    for (int8_t level : {0, 1, 2}) {
        auto request = one(s, topic, {0, -1, {-1}});
        request.isolation_level = level;
        for (int16_t version : {1, 2, 10}) {
            if (level == 2 && version > 1) s.differs("Kafka stumbles (-1) over an unknown isolation level; to rafka all but 1 are 0");
            s.ask("isolation level " + std::to_string(level), request, version);
        }
        request = one(s, topic, {0, -1, {-3}});
        request.isolation_level = level;
        if (level == 2) s.differs("the same");
        s.ask("largest time, isolation level " + std::to_string(level), request, 10);
    }
    auto debugging = one(s, topic, {0, -1, {-1}});
    debugging.replica_id = -2;
    s.ask("debugging replica", debugging, 7);

    for (int16_t version : {1, 5, 11}) {
        s.ask("unknown topic", one(s, "list_offsets-absent", {0, -1, {-1}}), version);
        s.ask("unknown partition", one(s, topic, {3, -1, {-1}}), version);
        s.ask("negative partition", one(s, topic, {-1, -1, {-1}}), version);
        s.ask("unknown topic, unknown position", one(s, "list_offsets-absent", {0, -1, {-9}}), version);
    }
    s.ask("bad topic", one(s, "list offsets", {0, -1, {-1}}), 7);
    s.ask("empty topic", one(s, "", {0, -1, {-1}}), 7);
    ListOffsetsRequest many{.replica_id = -1, .topics = s.list<Topic>({{topic, s.list<Asked>({{0, -1, {-1}}, {1, -1, {-2}}, {0, -1, {-2}}, {2, -1, {-3}}})}})};
    s.differs("Kafka answers once what was asked twice, rafka twice; both refuse it (42)");
    s.ask("a partition twice", many, 7);
    many.topics = s.list<Topic>({{topic, s.list<Asked>({{0, -1, {-1}}})}, {topic, s.list<Asked>({{0, -1, {-1}}, {1, -1, {-1}}})}});
    s.differs("the same");
    s.ask("a topic twice", many, 7);
    many.topics = s.list<Topic>({{"list_offsets-absent", s.list<Asked>({{0, -1, {-1}}})}, {topic, s.list<Asked>({{2, -1, {-1}}, {9, -1, {-1}}, {0, -1, {-1}}})}});
    s.ask("good and bad", many, 7);
    s.ask("nothing", ListOffsetsRequest{.replica_id = -1}, 7);
    many.topics = s.list<Topic>({{topic, {}}});
    s.differs("rafka names the topic all the same", "{0, [{\"list_offsets-a\", []}]}");
    s.ask("a topic without partitions", many, 7);

    s.topic("list_offsets-stamped", 1, {{"message.timestamp.type", "LogAppendTime"}});
    s.append("list_offsets-stamped", 0, s.batch({{.time = then + 9}, {.time = then}}));
    s.ask("stamped by the broker, an old time", one(s, "list_offsets-stamped", {0, -1, {INT64_MAX - 1}}), 7);
}

}  // namespace rafka::semantics
