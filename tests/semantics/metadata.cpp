// Metadata and DescribeTopicPartitions.

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

namespace rafka::semantics {

namespace {

using Asked = MetadataRequest::Topic;

MetadataRequest names(Script& s, std::initializer_list<Asked> topics) {
    return {.topics = s.list(topics), .allow_auto_topic_creation = false};
}

}  // namespace

void metadata(Script& s) {
    auto first = s.topic("metadata-b", 3);
    auto second = s.topic("metadata-a");

    s.ask("all, as an empty list", names(s, {}), 0);
    s.ask("none, as an empty list", names(s, {}), 1);
    MetadataRequest all{.topics = std::nullopt, .allow_auto_topic_creation = false};
    for (int16_t version : {1, 2, 4, 5, 7, 8, 9, 10, 12, 13}) s.ask("all", all, version);

    s.ask_each("two", names(s, {{.name = "metadata-b"}, {.name = "metadata-a"}}));
    s.ask_each("one twice", names(s, {{.name = "metadata-a"}, {.name = "metadata-a"}}));
    // Versions below 4 cannot forbid that it is made.
    for (int16_t version : {4, 9, 13}) s.ask("unknown", names(s, {{.name = "metadata-none"}}), version);
    for (int16_t version : {4, 9, 13}) s.ask("unknown and known", names(s, {{.name = "metadata-none"}, {.name = "metadata-a"}, {.name = "metadata-0"}}), version);

    auto by_id = names(s, {{.topic_id = first}});
    for (int16_t version : {10, 11, 12, 13}) s.ask("by id", by_id, version);
    auto by_id_and_null = names(s, {{.topic_id = first, .name = std::nullopt}});
    for (int16_t version : {10, 11, 12, 13}) s.ask("by id, null name", by_id_and_null, version);
    s.ask("by id, both", names(s, {{.topic_id = second, .name = "metadata-b"}}), 12);
    auto null_name = names(s, {{.name = std::nullopt}});
    for (int16_t version : {10, 11, 12, 13}) {
        if (version >= 12) s.differs("Kafka stumbles (-1) over a topic with neither name nor id; rafka passes over it");
        s.ask("null name", null_name, version);
    }
    s.ask("null name beside another", names(s, {{.name = "metadata-a"}, {.name = std::nullopt}}), 10);
    s.differs("the same");
    s.ask("null name beside another", names(s, {{.name = "metadata-a"}, {.name = std::nullopt}}), 12);
    Uuid unknown;
    unknown.bytes[0] = std::byte{0x77};
    s.ask("unknown id", names(s, {{.topic_id = unknown, .name = std::nullopt}}), 12);
    s.ask("unknown id", names(s, {{.topic_id = unknown, .name = std::nullopt}}), 13);
    s.ask("ids mixed", names(s, {{.topic_id = unknown, .name = std::nullopt}, {.topic_id = second, .name = std::nullopt}, {.topic_id = first, .name = std::nullopt}}), 12);
    s.ask("ids and names mixed", names(s, {{.topic_id = second, .name = std::nullopt}, {.name = "metadata-b"}, {.name = "metadata-none"}}), 12);

    for (auto& name : std::initializer_list<std::string>{"", ".", "..", "a b", "ä", "a/b", std::string(249, 'x'), std::string(250, 'x')}) {
        auto label = name.size() < 200 ? '"' + name + '"' : std::to_string(name.size()) + " characters";
        s.ask("name " + label, names(s, {{.name = s.text(name)}}), 9);
        s.ask("name " + label, names(s, {{.name = s.text(name)}}), 1 + 12);
    }

    auto wide = names(s, {{.name = "metadata-a"}, {.name = "metadata-none"}});
    wide.include_topic_authorized_operations = true;
    for (int16_t version : {8, 10, 11, 13}) s.ask("topic operations", wide, version);
    wide.include_topic_authorized_operations = false;
    wide.include_cluster_authorized_operations = true;
    for (int16_t version : {8, 10}) s.ask("cluster operations", wide, version);

    // Made on demand: unknown now, there a moment later.
    MetadataRequest creating{.topics = s.list<Asked>({{.name = "metadata-made"}}), .allow_auto_topic_creation = true};
    s.ask("made on demand", creating, 12);
    s.await_topic("metadata-made");
    s.ask("made on demand, again", creating, 12);
    MetadataRequest old{.topics = s.list<Asked>({{.name = "metadata-old"}})};
    s.ask("made on demand, as always before version 4", old, 1);
    s.await_topic("metadata-old");
    s.ask("made on demand, again", old, 1);
    MetadataRequest refused{.topics = s.list<Asked>({{.name = "metadata bad"}, {.name = "metadata.bad/"}})};
    s.ask("made on demand, but the names are bad", refused, 12);
    s.settle();
    s.ask("not made", names(s, {{.name = "metadata bad"}, {.name = "metadata.bad/"}}), 12);
}

void topic_partitions(Script& s) {
    using Topic = DescribeTopicPartitionsRequest::Topic;
    using Cursor = DescribeTopicPartitionsRequest::Cursor;
    s.topic("topic_partitions-b", 3);
    s.topic("topic_partitions-a", 2);
    s.topic("topic_partitions-c", 4);

    DescribeTopicPartitionsRequest request{.topics = s.list<Topic>({{"topic_partitions-b"}, {"topic_partitions-a"}})};
    s.ask("two", request, 0);
    request.topics = s.list<Topic>({{"topic_partitions-a"}, {"topic_partitions-a"}});
    s.ask("one twice", request, 0);
    request.topics = s.list<Topic>({{"topic_partitions-none"}, {"topic_partitions-a"}});
    s.ask("unknown ones", request, 0);
    request.topics = s.list<Topic>({{"topic_partitions-a"}, {"topic_partitions 0"}, {""}});
    s.differs("Kafka stumbles (-1, for all) over a name that no topic may have; rafka says 17, for those");
    s.ask("bad names", request, 0);

    auto three = s.list<Topic>({{"topic_partitions-c"}, {"topic_partitions-b"}, {"topic_partitions-a"}});
    for (int limit : {1, 2, 3, 4, 5, 9, 10, 0, -1, 5000}) {
        request = {.topics = three, .response_partition_limit = limit};
        s.ask("at most " + std::to_string(limit), request, 0);
    }
    struct From { std::string_view topic; int32_t partition; };
    for (auto from : {From{"topic_partitions-a", 0}, From{"topic_partitions-a", 1}, From{"topic_partitions-a", 2}, From{"topic_partitions-a", 9},
                      From{"topic_partitions-a", -1}, From{"topic_partitions-b", 2}, From{"topic_partitions-c", 3}, From{"topic_partitions-c", 4}, From{"topic_partitions-zzz", 0},
                      From{"topic_partitions-bb", 1}, From{"", 0}}) {
        request = {.topics = three, .response_partition_limit = 3, .cursor = Cursor{from.topic, from.partition}};
        s.ask("from " + std::string(from.topic) + ' ' + std::to_string(from.partition), request, 0);
    }
    request = {.topics = s.list<Topic>({{"topic_partitions-none"}, {"topic_partitions-a"}}), .response_partition_limit = 1};
    s.ask("unknown ones count?", request, 0);
    request = {.topics = s.list<Topic>({{"topic_partitions-a"}}), .cursor = Cursor{"topic_partitions-none", 0}};
    s.ask("a cursor of an unknown topic", request, 0);
    // Without names: all there are; the cursor keeps those of other scenarios away.
    request = {.response_partition_limit = 4, .cursor = Cursor{"topic_partitions-b", 0}};
    s.ask("all", request, 0);
}

}  // namespace rafka::semantics
