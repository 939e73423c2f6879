#include "base/log.hpp"
#include "metadata/config_control.hpp"
#include "metadata/delta.hpp"
#include "metadata/snapshot.hpp"
#include "metadata/topics_control.hpp"
#include "protocol/records/topics.hpp"

#include <doctest/doctest.h>

using namespace rafka;
using namespace rafka::metadata;

namespace {

Uuid id_of(int number) {
    Uuid id;
    id.bytes[0] = std::byte{1};
    id.bytes[15] = std::byte(number);
    return id;
}

ControllerOptions options() {
    ControllerOptions options;
    options.node_id = 1;
    options.directory_id = id_of(99);
    options.default_partitions = 2;
    return options;
}

// A cluster of broker 1, and broker 2 that is fenced, with some topics of two partitions each.
class Cluster {
public:
    explicit Cluster(std::initializer_list<std::string> topics = {}) : applier_(std::make_shared<Image>()) {
        RecordList records;
        Image start;
        start.features.levels = {{"metadata.version", 30}};
        add_records(start, records);
        for (int id : {1, 2}) {
            Broker broker;
            broker.id = id;
            broker.epoch = id;
            broker.fenced = id == 2;
            broker.directories = {id_of(97 + id)};
            add_record(broker, RecordVersions(30), records);
        }
        commit(records);
        for (auto& name : topics) {
            NewTopic topic;
            topic.name = name;
            REQUIRE(create({topic})[0] == "ok");
        }
    }

    const Image& image() const { return *applier_.image(); }

    std::vector<std::string> create(std::vector<NewTopic> topics, ControllerOptions with = options()) {
        RecordList records;
        auto answers = plan_creation(image(), with, topics, [this] { return id_of(++ids_); }, records);
        commit(records);
        std::vector<std::string> texts;
        for (auto& created : answers) texts.push_back(text(created.answer));
        return texts;
    }
    std::vector<std::string> remove(std::vector<TopicDeletion> topics) {
        RecordList records;
        return commit(plan_deletion(image(), options(), topics, records), records);
    }
    std::vector<std::string> grow(std::vector<MorePartitions> topics) {
        RecordList records;
        return commit(plan_more_partitions(image(), options(), topics, records), records);
    }
    std::vector<std::string> configure(std::vector<ConfigChanges> resources) {
        RecordList records;
        return commit(plan_configs(image(), options(), resources, records), records);
    }
    void commit(const RecordList& records) {
        if (records.empty()) return;
        auto bytes = data_batches(records, {0}, 1, Timestamp{1});
        REQUIRE_MESSAGE(applier_.apply(BatchView::trusted(bytes)), applier_.problem());
        REQUIRE(applier_.take());
    }

private:
    static std::string text(const Answer& answer) { return answer.error == 0 ? "ok" : fmt::format("{} {}", answer.error, answer.message); }
    std::vector<std::string> commit(const std::vector<Answer>& answers, const RecordList& records) {
        commit(records);
        std::vector<std::string> texts;
        for (auto& answer : answers) texts.push_back(text(answer));
        return texts;
    }

    Applier applier_;
    int ids_ = 0;
};

NewTopic topic(std::string name, int32_t partitions = -1, int16_t factor = -1) {
    NewTopic topic;
    topic.name = std::move(name);
    topic.partitions = partitions;
    topic.replication_factor = factor;
    return topic;
}

NewTopic assigned(std::string name, decltype(NewTopic::assignments) assignments) {
    auto made = topic(std::move(name));
    made.assignments = std::move(assignments);
    return made;
}

NewTopic configured(std::string name, decltype(NewTopic::configs) configs) {
    auto made = topic(std::move(name));
    made.configs = std::move(configs);
    return made;
}

ConfigChanges of_topic(std::string name, std::vector<ConfigChange> changes, bool replace_all = false) {
    return {ResourceType::topic, std::move(name), std::move(changes), replace_all};
}

constexpr auto set = ConfigOperation::set;
constexpr auto del = ConfigOperation::remove;
constexpr auto append = ConfigOperation::append;
constexpr auto subtract = ConfigOperation::subtract;

}  // namespace

TEST_CASE("topics are created by Kafka's rules") {
    struct Row { NewTopic topic; std::string answer; };
    std::string long_name(250, 'x');
    const Row rows[] = {
        {topic("new"), "ok"},
        {topic("new", 3, 1), "ok"},
        {topic(std::string(249, 'x')), "ok"},
        {topic(""), "17 Topic name is invalid: the empty string is not allowed"},
        {topic("."), "17 Topic name is invalid: '.' is not allowed"},
        {topic(".."), "17 Topic name is invalid: '..' is not allowed"},
        {topic("..."), "ok"},
        {topic(long_name), "17 Topic name is invalid: the length of '" + long_name + "' is longer than the max allowed length 249"},
        {topic("a b"), "17 Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"},
        {topic("\xc3\xa9"), "17 Topic name is invalid: '\xc3\xa9' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"},
        {topic("there"), "36 Topic 'there' already exists."},
        {topic("a_b.c"), "36 Topic 'a_b.c' already exists."},
        {topic("a.b.c"), "17 Topic 'a.b.c' collides with existing topic: a_b.c"},
        {topic("a_b_c"), "17 Topic 'a_b_c' collides with existing topic: a_b.c"},
        {topic("a-b.c"), "ok"},
        {topic("__cluster_metadata"), "42 Creation of internal topic __cluster_metadata is prohibited."},
        {topic("new", 0), "37 Number of partitions was set to an invalid non-positive value."},
        {topic("new", -2), "37 Number of partitions was set to an invalid non-positive value."},
        {topic("new", 1, 0), "38 Replication factor must be larger than 0, or -1 to use the default value."},
        {topic("new", 1, -2), "38 Replication factor must be larger than 0, or -1 to use the default value."},
        {topic("new", 1, 3), "38 Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only "
                             "1 broker(s) are registered or some brokers have all their log directories cordoned."},
        {topic("new", 9'999), "ok"},
        {topic("new", 10'000), "44 Unable to perform excessively large batch operation."},
        {topic("new", 10'001), "44 Excessively large number of partitions per request."},
        {assigned("new", {{0, {1}}, {1, {1}}}), "ok"},
        {assigned("new", {{1, {1}}, {0, {1}}}), "ok"},
        {assigned("new", {{0, {1, 2}}}), "ok"},
        {assigned("new", {{0, {2}}}), "39 All brokers specified in the manual partition assignment for partition 0 are fenced or in controlled shutdown."},
        {assigned("new", {{0, {}}}), "39 The manual partition assignment includes an empty replica list."},
        {assigned("new", {{0, {1, 1}}}), "39 The manual partition assignment includes the broker 1 more than once."},
        {assigned("new", {{0, {7}}}), "39 The manual partition assignment includes broker 7, but no such broker is registered."},
        {assigned("new", {{0, {1}}, {0, {1}}}), "39 Found multiple manual partition assignments for partition 0"},
        {assigned("new", {{0, {1}}, {2, {1}}}), "39 partitions should be a consecutive 0-based integer sequence"},
        {assigned("new", {{-1, {1}}, {0, {1}}}), "39 partitions should be a consecutive 0-based integer sequence"},
        {assigned("new", {{0, {1}}, {1, {1, 2}}}), "39 The manual partition assignment includes a partition with 2 replica(s), but this is not "
                                                   "consistent with previous partitions, which have 1 replica(s)."},
        {configured("new", {{"retention.ms", "5"}, {"cleanup.policy", "compact"}}), "ok"},
        {configured("new", {{"retention.ms", std::nullopt}, {"cleanup.policy", std::nullopt}}),
         "40 Null value not supported for topic configs: retention.ms,cleanup.policy"},
        {configured("new", {{"retention.ms", std::string(32'768, '1')}}),
         "40 The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes."},
    };
    for (auto& row : rows) {
        CAPTURE(row.topic.name.substr(0, 20));
        CAPTURE(row.answer);
        Cluster cluster{"there", "a_b.c"};
        CHECK(cluster.create({row.topic})[0] == row.answer);
        bool created = cluster.image().topic(row.topic.name) && row.topic.name != "there" && row.topic.name != "a_b.c";
        CHECK(created == (row.answer == "ok"));
    }
    for (auto config : {std::pair("unknown.key", "1"), std::pair("retention.ms", "x"), std::pair("cleanup.policy", "shred")}) {
        Cluster cluster;
        CHECK(cluster.create({configured("new", {{config.first, config.second}})})[0].starts_with("40 "));
    }
}

TEST_CASE("a manual assignment excludes counts") {
    Cluster cluster;
    auto both = assigned("new", {{0, {1}}});
    both.partitions = 1;
    CHECK(cluster.create({both})[0] == "42 A manual partition assignment was specified, but numPartitions was not set to -1.");
    both.replication_factor = 1;
    CHECK(cluster.create({both})[0] == "42 A manual partition assignment was specified, but replication factor was not set to -1.");
}

TEST_CASE("a new topic's partitions are led by this node, in its directory") {
    Cluster cluster;
    CHECK(cluster.create({configured("new", {{"retention.ms", "5"}})}) == std::vector<std::string>{"ok"});
    auto made = cluster.image().topic("new");
    REQUIRE(made);
    REQUIRE(made->partitions.size() == 2);
    PartitionState expected;
    expected.replicas = {1};
    expected.isr = {1};
    expected.directories = {id_of(99)};
    expected.leader = 1;
    CHECK(made->partitions[1] == expected);
    CHECK(cluster.image().config(ResourceType::topic, "new")->values == ConfigMap{{"retention.ms", "5"}});
}

TEST_CASE("one bad topic of a request does not hold up the others, and duplicates are all refused") {
    Cluster cluster;
    CHECK(cluster.create({topic("a"), topic("bad name"), topic("b"), topic("twice"), topic("twice")}) ==
          std::vector<std::string>{"ok", "17 Topic name is invalid: 'bad name' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
                                   "ok", "42 Duplicate topic name.", "42 Duplicate topic name."});
    CHECK(cluster.image().topics.size() == 2);
    CHECK(cluster.create({topic("c", 6'000), topic("d", 6'000)})[1] == "44 Excessively large number of partitions per request.");
    CHECK(cluster.image().topics.size() == 2);
}

TEST_CASE("topics are deleted by name or by id") {
    Cluster cluster{"a", "b", "c", "d"};
    auto id = [&](const char* name) { return cluster.image().topic(name)->id; };
    auto a = id("a"), b = id("b"), c = id("c");
    CHECK(cluster.remove({{"none", {}}, {std::nullopt, id_of(200)}, {std::nullopt, {}}, {"a", a}, {"d", {}}, {"d", {}}, {std::nullopt, c}, {"c", {}}}) ==
          std::vector<std::string>{"3 This server does not host this topic-partition.", "100 This server does not host this topic ID.",
                                   "42 Neither topic name nor id were specified.", "42 You may not specify both topic name and topic id.",
                                   "42 Duplicate topic name.", "42 Duplicate topic name.",
                                   "42 The provided topic name maps to an ID that was already supplied.",
                                   "42 The provided topic name maps to an ID that was already supplied."});
    CHECK(cluster.image().topics.size() == 4);
    CHECK(cluster.remove({{"a", {}}, {std::nullopt, b}}) == std::vector<std::string>{"ok", "ok"});
    CHECK(cluster.image().topics.size() == 2);
    CHECK(cluster.create({topic("a")}) == std::vector<std::string>{"ok"});
    CHECK(id("a") != a);

    RecordList records;
    auto off = options();
    off.static_configs["delete.topic.enable"] = "false";
    CHECK(plan_deletion(cluster.image(), off, {{"a", {}}}, records)[0].error == 73);
    CHECK(records.empty());
}

TEST_CASE("partitions are added by Kafka's rules") {
    struct Row { MorePartitions question; std::string answer; };
    const Row rows[] = {
        {{"t", 3, std::nullopt}, "ok"},
        {{"t", 2, std::nullopt}, "37 Topic already has 2 partition(s)."},
        {{"t", 1, std::nullopt}, "37 The topic t currently has 2 partition(s); 1 would not be an increase."},
        {{"t", -5, std::nullopt}, "37 The topic t currently has 2 partition(s); -5 would not be an increase."},
        {{"none", 3, std::nullopt}, "3 This server does not host this topic-partition."},
        {{"t", 1'000'000, std::nullopt}, "44 Excessively large number of partitions per request."},
        {{"t", 10'002, std::nullopt}, "ok"},
        {{"t", 3, {{{1}}}}, "ok"},
        {{"t", 3, {{{1}, {1}}}}, "39 Attempted to add 1 additional partition(s), but only 2 assignment(s) were specified."},
        {{"t", 3, {{{1, 2}}}}, "39 The manual partition assignment includes a partition with 2 replica(s), but this is not consistent with "
                               "previous partitions, which have 1 replica(s)."},
        {{"t", 3, {{{2}}}}, "39 All brokers specified in the manual partition assignment for partition 2 are fenced or in controlled shutdown."},
    };
    for (auto& row : rows) {
        CAPTURE(row.answer);
        Cluster cluster{"t"};
        CHECK(cluster.grow({row.question})[0] == row.answer);
        CHECK(cluster.image().topic("t")->partitions.size() == size_t(row.answer == "ok" ? row.question.count : 2));
    }
    Cluster cluster{"t", "u"};
    CHECK(cluster.grow({{"t", 3, std::nullopt}, {"u", 5, std::nullopt}, {"t", 4, std::nullopt}}) ==
          std::vector<std::string>{"42 Duplicate topic name.", "ok", "42 Duplicate topic name."});
    CHECK(cluster.image().topic("u")->partitions[4].leader == 1);
}

TEST_CASE("configs change by Kafka's rules") {
    Cluster cluster{"t"};
    auto values = [&] { auto config = cluster.image().config(ResourceType::topic, "t"); return config ? config->values : ConfigMap(); };
    auto one = [&](ConfigChanges change) { return cluster.configure({std::move(change)})[0]; };

    CHECK(one(of_topic("t", {{"retention.ms", set, "5"}, {"segment.bytes", set, "2000000"}})) == "ok");
    CHECK(values() == ConfigMap{{"retention.ms", "5"}, {"segment.bytes", "2000000"}});
    CHECK(one(of_topic("t", {{"retention.ms", del, std::nullopt}, {"flush.ms", del, std::nullopt}})) == "ok");
    CHECK(values() == ConfigMap{{"segment.bytes", "2000000"}});

    CHECK(one(of_topic("t", {{"cleanup.policy", append, "compact"}})) == "ok");
    CHECK(values()["cleanup.policy"] == "delete,compact");
    CHECK(one(of_topic("t", {{"cleanup.policy", append, "compact"}})) == "ok");
    CHECK(values()["cleanup.policy"] == "delete,compact");
    CHECK(one(of_topic("t", {{"cleanup.policy", subtract, "delete,other"}})) == "ok");
    CHECK(values()["cleanup.policy"] == "compact");
    CHECK(one(of_topic("t", {{"retention.ms", append, "5"}})) == "40 Can't APPEND to key retention.ms because its type is not LIST.");
    CHECK(one(of_topic("t", {{"retention.ms", subtract, "5"}})) == "40 Can't SUBTRACT to key retention.ms because its type is not LIST.");
    CHECK(one(of_topic("t", {{"retention.ms", ConfigOperation(9), "5"}})) == "42 Unknown operations type 9");
    CHECK(one(of_topic("t", {{"retention.ms", set, std::nullopt}, {"flush.ms", append, std::nullopt}})) ==
          "42 Null value not supported for : retention.ms, flush.ms");
    CHECK(one(of_topic("t", {{"retention.ms", set, "1"}, {"retention.ms", set, "2"}})) == "42 Error due to duplicate config keys");
    CHECK(one(of_topic("t", {{"retention.ms", set, "x"}})).starts_with("40 "));
    CHECK(one(of_topic("t", {{"no.such.key", set, "x"}})).starts_with("40 "));
    CHECK(one(of_topic("none", {{"retention.ms", set, "5"}})) == "3 The topic 'none' does not exist.");
    CHECK(one(of_topic("a b", {{"retention.ms", set, "5"}})).starts_with("17 Topic name is invalid: 'a b'"));
    CHECK(one(of_topic("", {{"retention.ms", set, "5"}})) == "42 Default topic resources are not allowed.");
    auto before = values();
    CHECK(before == ConfigMap{{"cleanup.policy", "compact"}, {"segment.bytes", "2000000"}});

    CHECK(one(of_topic("t", {{"retention.ms", set, "7"}}, true)) == "ok");  // What is not named goes back.
    CHECK(values() == ConfigMap{{"retention.ms", "7"}});
    CHECK(one(of_topic("t", {{"retention.ms", set, std::nullopt}}, true)) == "42 Null value not supported for : retention.ms");
    CHECK(one(of_topic("t", {}, true)) == "ok");
    CHECK(values().empty());

    CHECK(one({ResourceType::broker, "x", {{"log.retention.ms", set, "5"}}, false}) == "42 Node id must be an integer, but it is: x");
    CHECK(one({ResourceType::broker, "2", {{"log.retention.ms", set, "5"}}, false}) == "42 Unexpected broker id, expected 1, but received 2");
    CHECK(one({ResourceType::broker, "", {{"log.retention.ms", set, "5"}}, false}) == "ok");
    CHECK(cluster.image().config(ResourceType::broker, "")->values == ConfigMap{{"log.retention.ms", "5"}});
    CHECK(one({ResourceType::broker, "1", {{"node.id", set, "5"}}, false}).starts_with("42 "));
    CHECK(one({ResourceType::group, "g", {{"consumer.session.timeout.ms", set, "5"}}, false}) == "42 Unknown resource type 32");
    CHECK(one({ResourceType(77), "g", {}, false}) == "42 Unknown resource type 77");

    CHECK(cluster.configure({of_topic("t", {{"retention.ms", set, "1"}}), {ResourceType::broker, "", {{"log.retention.ms", set, "6"}}, false},
                             of_topic("t", {{"retention.ms", set, "2"}})}) ==
          std::vector<std::string>{"42 Each resource must appear at most once.", "ok", "42 Each resource must appear at most once."});
    CHECK(values().empty());
}

TEST_CASE("with eligible leader replicas the minimum of in-sync replicas is one for all brokers") {
    Cluster cluster;
    RecordList level;
    Image elr;
    elr.features.levels = {{"eligible.leader.replicas.version", 1}};
    add_records(elr, level);
    cluster.commit(level);
    CHECK(cluster.configure({{ResourceType::broker, "1", {{"min.insync.replicas", set, "1"}}, false}})[0] ==
          "40 Broker-level min.insync.replicas cannot be altered while ELR is enabled.");
    CHECK(cluster.configure({{ResourceType::broker, "", {{"min.insync.replicas", del, std::nullopt}}, false}})[0] ==
          "40 Cluster-level min.insync.replicas cannot be removed while ELR is enabled.");
}

TEST_CASE("partitions that Kafka left without a leader are led again, those of others are not") {
    Cluster cluster{"mine"};
    CHECK(cluster.create({assigned("shared", {{0, {1, 2}}})})[0] == "ok");
    auto leaderless = [&](const char* name, std::vector<int32_t> isr, std::vector<int32_t> elr, std::vector<int32_t> last) {
        RecordList records;
        protocol::PartitionChangeRecord record;
        record.topic_id = cluster.image().topic(name)->id;
        record.partition_id = 0;
        record.leader = -1;
        record.isr = isr;
        record.eligible_leader_replicas = elr;
        record.last_known_elr = last;
        records.add(record, 2);
        cluster.commit(records);
    };
    auto lead = [&](const char* name) {
        RecordList records;
        plan_leadership(cluster.image(), options(), records);
        cluster.commit(records);
        return cluster.image().topic(name)->partitions[0];
    };
    RecordList nothing;
    plan_leadership(cluster.image(), options(), nothing);
    CHECK(nothing.empty());

    leaderless("mine", {}, {1}, {1});
    auto state = lead("mine");
    CHECK(state.leader == 1);
    CHECK(state.isr == std::vector<int32_t>{1});
    CHECK(state.eligible_leader_replicas.empty());
    CHECK(state.last_known_elr.empty());
    CHECK(state.leader_epoch == 2);
    CHECK(state.partition_epoch == 2);
    leaderless("shared", {2}, {}, {});
    CHECK(lead("shared").leader == -1);
    leaderless("shared", {}, {1}, {});
    CHECK(lead("shared").leader == 1);
}
