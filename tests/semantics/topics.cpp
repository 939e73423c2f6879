// CreateTopics, DeleteTopics, CreatePartitions.

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

namespace rafka::semantics {

namespace {

using NewTopic = CreateTopicsRequest::Topic;
using Place = CreateTopicsRequest::Assignment;
using Config = CreateTopicsRequest::Config;

// What there is, after what was asked.
void show(Script& s, std::string_view label, std::string_view topic) {
    s.settle();
    MetadataRequest request{.topics = s.list<MetadataRequest::Topic>({{.name = topic}}), .allow_auto_topic_creation = false};
    s.ask(label, request, 12);
}

}  // namespace

void create_topics(Script& s) {
    auto create = [&](std::string_view label, std::initializer_list<NewTopic> topics, int16_t version = 7, bool validate_only = false) {
        CreateTopicsRequest request{.topics = s.list(topics), .timeout_ms = 10000, .validate_only = validate_only};
        s.ask(label, request, version);
    };
    auto brokers = [&](std::initializer_list<int32_t> ids) { return s.list(ids); };

    create("validated only", {{"create_topics-a", 2, 1}}, 7, true);
    show(s, "validated only: not there", "create_topics-a");
    create("one", {{"create_topics-a", 2, 1}});
    show(s, "one: there", "create_topics-a");
    create("exists", {{"create_topics-a", 2, 1}});
    create("exists, validated only", {{"create_topics-a", 2, 1}}, 5, true);
    create("exists, and bad in other ways", {{"create_topics-a", 0, 7}});
    create("old version", {{"create_topics-v2", 1, 1}}, 2);
    create("old version", {{"create_topics-v4", -1, -1}}, 4);
    create("defaults", {{"create_topics-v5", -1, -1}}, 5);
    create("defaults, too early", {{"create_topics-v3", -1, -1}}, 3);
    create("defaults, too early: partitions", {{"create_topics-v3p", -1, 1}}, 2);
    create("defaults, too early: replicas", {{"create_topics-v3r", 1, -1}}, 2);
    create("nothing", {});

    for (auto name : {"", ".", "..", "a b", "ä", "a/b", "a:b", "create_topics-\\", "__cluster_metadata", "create_topics.a", "create_topics-\x01"}) {
        create("name \"" + std::string(name[0] == 'c' && name[14] == 1 ? "control character" : name) + '"', {{name, 1, 1}}, 7, true);
    }
    create("249 characters", {{s.text(std::string(249, 'c')), 1, 1}}, 7, true);
    create("250 characters", {{s.text(std::string(250, 'c')), 1, 1}}, 7, true);
    create("dots and underscores", {{"create_topics.b_c", 1, 1}});
    s.settle();
    create("collides", {{"create_topics_b.c", 1, 1}});
    create("collides", {{"create_topics.b.c", 1, 1}}, 7, true);
    create("two that collide", {{"create_topics.d", 1, 1}, {"create_topics_d", 1, 1}}, 7, true);
    create("twice in one request", {{"create_topics-twice", 1, 1}, {"create_topics-twice", 1, 1}, {"create_topics-once", 1, 1}});
    create("twice in one request", {{"create_topics-twice", 1, 1}, {"create_topics-twice", 2, 1}}, 2);
    show(s, "twice in one request: not there", "create_topics-twice");

    for (int32_t partitions : {0, -1, -2, INT32_MIN}) create("partitions " + std::to_string(partitions), {{"create_topics-p", partitions, 1}}, 7, true);
    for (int16_t replicas : {0, -1, -2, 2, 3, 32767}) create("replicas " + std::to_string(replicas), {{"create_topics-r", 1, replicas}}, 7, true);
    create("partitions and replicas", {{"create_topics-pr", 0, 0}}, 7, true);

    create("assigned", {{"create_topics-assigned", -1, -1, s.list<Place>({{0, brokers({1})}, {1, brokers({1})}})}});
    show(s, "assigned: there", "create_topics-assigned");
    create("assigned, with partitions", {{"create_topics-m", 2, -1, s.list<Place>({{0, brokers({1})}, {1, brokers({1})}})}}, 7, true);
    create("assigned, with replicas", {{"create_topics-m", -1, 1, s.list<Place>({{0, brokers({1})}})}}, 7, true);
    create("assigned, with both", {{"create_topics-m", 1, 1, s.list<Place>({{0, brokers({1})}})}}, 7, true);
    create("assigned, unknown broker", {{"create_topics-m", -1, -1, s.list<Place>({{0, brokers({9})}})}}, 7, true);
    create("assigned, negative broker", {{"create_topics-m", -1, -1, s.list<Place>({{0, brokers({-1})}})}}, 7, true);
    create("assigned, broker twice", {{"create_topics-m", -1, -1, s.list<Place>({{0, brokers({1, 1})}})}}, 7, true);
    create("assigned, no broker", {{"create_topics-m", -1, -1, s.list<Place>({{0, brokers({})}})}}, 7, true);
    create("assigned, partition twice", {{"create_topics-m", -1, -1, s.list<Place>({{0, brokers({1})}, {0, brokers({1})}})}}, 7, true);
    create("assigned, not from 0", {{"create_topics-m", -1, -1, s.list<Place>({{1, brokers({1})}})}}, 7, true);
    create("assigned, with a gap", {{"create_topics-m", -1, -1, s.list<Place>({{0, brokers({1})}, {2, brokers({1})}})}}, 7, true);
    create("assigned, out of order", {{"create_topics-m", -1, -1, s.list<Place>({{1, brokers({1})}, {0, brokers({1})}})}}, 7, true);
    create("assigned, negative partition", {{"create_topics-m", -1, -1, s.list<Place>({{-1, brokers({1})}})}}, 7, true);

    auto configured = [&](std::string_view label, std::initializer_list<Config> configs, int16_t version = 7) {
        create(label, {{"create_topics-c", 1, 1, {}, s.list(configs)}}, version, true);
    };
    configured("configured", {{"retention.ms", "1000"}, {"cleanup.policy", "compact,delete"}, {"compression.type", "zstd"}});
    configured("configured", {{"retention.ms", "1000"}}, 4);
    s.differs("Kafka shows values as they were written; rafka trims them at once");
    configured("configured with blanks", {{"retention.ms", " 1000 "}, {"cleanup.policy", "compact , delete"}, {"preallocate", "True"}});
    configured("unknown config", {{"no.such.config", "1"}});
    configured("broker's config", {{"log.retention.ms", "1"}});
    configured("null value", {{"retention.ms", std::nullopt}});
    configured("null value of an unknown one", {{"no.such.config", std::nullopt}});
    configured("empty name", {{"", "1"}});
    configured("config twice", {{"retention.ms", "1000"}, {"retention.ms", "2000"}});
    struct Value { std::string_view name, value; };
    for (auto [name, value] : {Value{"retention.ms", "abc"}, Value{"retention.ms", ""}, Value{"retention.ms", "-1"}, Value{"retention.ms", "-2"}, Value{"retention.ms", "1.5"},
                               Value{"retention.ms", "9223372036854775808"}, Value{"retention.bytes", "-2"}, Value{"segment.bytes", "13"}, Value{"segment.bytes", "1048575"}, Value{"segment.bytes", "1048576"},
                               Value{"segment.bytes", "2147483648"}, Value{"segment.ms", "0"}, Value{"segment.ms", "1"}, Value{"cleanup.policy", ""}, Value{"cleanup.policy", "none"}, Value{"cleanup.policy", "delete,delete"},
                               Value{"cleanup.policy", "compact,none"}, Value{"compression.type", "zip"}, Value{"compression.type", "uncompressed"}, Value{"compression.type", "none"},
                               Value{"max.message.bytes", "-1"}, Value{"max.message.bytes", "0"}, Value{"min.insync.replicas", "0"}, Value{"min.insync.replicas", "2"},
                               Value{"message.timestamp.type", "Create"}, Value{"message.timestamp.type", "LogAppendTime"}, Value{"min.cleanable.dirty.ratio", "1.1"}, Value{"min.cleanable.dirty.ratio", "0.25"},
                               Value{"unclean.leader.election.enable", "maybe"}, Value{"unclean.leader.election.enable", "TRUE"}, Value{"file.delete.delay.ms", "-1"}, Value{"index.interval.bytes", "-1"},
                               Value{"segment.index.bytes", "3"}, Value{"segment.index.bytes", "4"}, Value{"flush.messages", "0"}, Value{"delete.retention.ms", "-1"}, Value{"min.compaction.lag.ms", "-1"}, Value{"max.compaction.lag.ms", "0"},
                               Value{"compression.gzip.level", "10"}, Value{"compression.gzip.level", "-1"}, Value{"compression.lz4.level", "18"}, Value{"compression.zstd.level", "23"},
                               Value{"remote.storage.enable", "true"}, Value{"local.retention.ms", "-3"}, Value{"message.timestamp.before.max.ms", "-1"}, Value{"leader.replication.throttled.replicas", "x"},
                               Value{"leader.replication.throttled.replicas", "*"}, Value{"leader.replication.throttled.replicas", "0:1,1:1"}, Value{"message.format.version", "3.0"}, Value{"message.downconversion.enable", "true"}}) {
        if (value == "delete,delete") s.differs("Kafka 4.3.1 takes a policy twice; rafka refuses it, as Kafka's source does");
        configured(std::string(name) + '=' + std::string(value), {{name, value}}, 4);
    }
    configured("values against each other", {{"min.compaction.lag.ms", "10"}, {"max.compaction.lag.ms", "5"}}, 4);
    configured("values against each other", {{"retention.ms", "10"}, {"local.retention.ms", "20"}}, 4);
    create("good and bad together", {{"create_topics-good", 1, 1}, {"create_topics bad", 1, 1}, {"create_topics-bad", 1, 5}});
    show(s, "good and bad together: good", "create_topics-good");
    show(s, "good and bad together: bad", "create_topics-bad");
}

void delete_topics(Script& s) {
    using Doomed = DeleteTopicsRequest::Topic;
    auto remove = [&](std::string_view label, std::initializer_list<Doomed> topics) {
        DeleteTopicsRequest request{.topics = s.list(topics), .timeout_ms = 10000};
        s.ask(label, request, 6);
    };
    auto remove_names = [&](std::string_view label, std::initializer_list<std::string_view> names, int16_t version) {
        DeleteTopicsRequest request{.topic_names = s.list(names), .timeout_ms = 10000};
        s.ask(label, request, version);
    };
    for (auto name : {"a", "b", "c", "d", "e", "f", "g"}) s.topic(s.text(std::string("delete_topics-") + name));
    auto id = s.topic("delete_topics-id"), id2 = s.topic("delete_topics-id2"), id3 = s.topic("delete_topics-id3");
    Uuid unknown;
    unknown.bytes[3] = std::byte{9};

    for (int16_t version : {1, 4, 5}) remove_names("unknown", {"delete_topics-none"}, version);
    remove("unknown", {{"delete_topics-none", {}}});
    remove("unknown id", {{std::nullopt, unknown}});
    remove("nothing", {});
    remove("neither name nor id", {{std::nullopt, {}}});
    remove("both", {{"delete_topics-a", id}});
    remove("both, unknown", {{"delete_topics-none", unknown}});
    remove("bad name", {{"delete topics", {}}, {"", {}}});
    remove("twice", {{"delete_topics-a", {}}, {"delete_topics-a", {}}});
    remove("id twice", {{std::nullopt, id}, {std::nullopt, id}});
    remove("name, and its id", {{"delete_topics-id", {}}, {std::nullopt, id}});
    remove("neither, twice", {{std::nullopt, {}}, {std::nullopt, {}}, {"delete_topics-g", {}}});
    remove_names("twice", {"delete_topics-b", "delete_topics-b"}, 5);
    show(s, "twice: what is left", "delete_topics-b");
    remove_names("one", {"delete_topics-c"}, 1);
    show(s, "one: gone", "delete_topics-c");
    remove_names("two", {"delete_topics-d", "delete_topics-e"}, 5);
    remove("by name", {{"delete_topics-f", {}}});
    remove("by id", {{std::nullopt, id2}});
    show(s, "by id: gone", "delete_topics-id2");
    remove("gone by id", {{std::nullopt, id2}});
    remove("some good, some bad", {{std::nullopt, id3}, {"delete_topics-none", {}}, {std::nullopt, unknown}});
    s.settle();

    // The same name again is another topic.
    auto again = s.topic("delete_topics-c");
    show(s, "made again", "delete_topics-c");
    s.append("delete_topics-c", 0, s.batch({{"v"}}));
    remove("made again, by id", {{std::nullopt, again}});
    s.settle();
    ProduceRequest late{.acks = 1, .timeout_ms = 1000, .topic_data = s.list<ProduceRequest::Topic>({{.name = "delete_topics-c", .partition_data = s.list<ProduceRequest::Partition>({{0, s.batch({{"v"}})}})}})};
    s.ask("to a topic that is gone", late, 12);
}

void create_partitions(Script& s) {
    using More = CreatePartitionsRequest::Topic;
    using Place = CreatePartitionsRequest::Assignment;
    auto grow = [&](std::string_view label, std::initializer_list<More> topics, bool validate_only = false, int16_t version = 3) {
        CreatePartitionsRequest request{.topics = s.list(topics), .timeout_ms = 10000, .validate_only = validate_only};
        s.ask(label, request, version);
    };
    auto on = [&](std::initializer_list<int32_t> ids) { return Place{s.list(ids)}; };
    s.topic("create_partitions-a", 2);
    s.topic("create_partitions-b", 1);

    grow("unknown", {{"create_partitions-none", 3}});
    grow("bad name", {{"create partitions", 3}});
    grow("empty name", {{"", 3}});
    grow("nothing", {});
    grow("fewer", {{"create_partitions-a", 1}});
    for (int32_t count : {0, -1, -5}) grow("to " + std::to_string(count), {{"create_partitions-a", count}});
    grow("same", {{"create_partitions-a", 2}});
    grow("same, with places", {{"create_partitions-a", 2, s.list<Place>({})}});
    grow("validated only", {{"create_partitions-a", 4}}, true);
    show(s, "validated only: as before", "create_partitions-a");
    grow("more", {{"create_partitions-a", 3}});
    show(s, "more: there", "create_partitions-a");
    grow("more, old version", {{"create_partitions-a", 4}}, false, 0);
    grow("with places", {{"create_partitions-a", 6, s.list<Place>({on({1}), on({1})})}});
    s.settle();
    grow("too few places", {{"create_partitions-a", 8, s.list<Place>({on({1})})}}, true);
    grow("too many places", {{"create_partitions-a", 7, s.list<Place>({on({1}), on({1})})}}, true);
    grow("no places", {{"create_partitions-a", 7, s.list<Place>({})}}, true);
    grow("unknown broker", {{"create_partitions-a", 7, s.list<Place>({on({5})})}}, true);
    grow("broker twice", {{"create_partitions-a", 7, s.list<Place>({on({1, 1})})}}, true);
    grow("no broker", {{"create_partitions-a", 7, s.list<Place>({on({})})}}, true);
    grow("twice in one request", {{"create_partitions-a", 7}, {"create_partitions-a", 8}});
    grow("twice beside another", {{"create_partitions-a", 7}, {"create_partitions-a", 8}, {"create_partitions-b", 2}}, true);
    grow("good and bad", {{"create_partitions-b", 2}, {"create_partitions-none", 2}});
    show(s, "good and bad: good", "create_partitions-b");
    s.await_topic("create_partitions-b", 2);
    s.append("create_partitions-b", 1, s.batch({{"v"}}));
}

}  // namespace rafka::semantics
