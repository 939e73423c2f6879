#include "metadata/delta.hpp"

#include "base/log.hpp"
#include "metadata/quorum_state.hpp"
#include "metadata/snapshot.hpp"
#include "protocol/records/cluster.hpp"
#include "protocol/records/security.hpp"
#include "protocol/records/topics.hpp"
#include "golden.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace rafka;
using namespace rafka::metadata;
using namespace rafka::protocol;

namespace {

Uuid id_of(uint64_t number) {
    Uuid id;
    for (size_t i = 0; i < 8; ++i) id.bytes[15 - i] = std::byte(number >> 8 * i);
    id.bytes[0] = std::byte{1};
    return id;
}

std::vector<std::byte> batch_of(const RecordList& records, Offset base = {0}) { return data_batches(records, base, 1, Timestamp{1}); }

// Applies one batch and gives the last update.
Applier::Update apply(Applier& applier, const RecordList& records, Offset base = {0}) {
    auto bytes = batch_of(records, base);
    REQUIRE_MESSAGE(applier.apply(BatchView::trusted(bytes)), applier.problem());
    auto updates = applier.take();
    REQUIRE(updates);
    return updates->empty() ? Applier::Update{applier.image(), {}} : std::move(updates->back());
}

std::string refusal(const RecordList& records) {
    Applier applier(std::make_shared<Image>());
    auto bytes = batch_of(records);
    if (!applier.apply(BatchView::trusted(bytes))) return applier.problem();
    if (!applier.take()) return applier.problem();
    return "";
}

void add_topic(RecordList& records, std::string_view name, const Uuid& id) {
    TopicRecord record;
    record.name = name;
    record.topic_id = id;
    records.add(record);
}

void add_partition(RecordList& records, const Uuid& topic, int32_t partition) {
    const int32_t one[] = {1};
    const Uuid directory[] = {id_of(99)};
    PartitionRecord record;
    record.partition_id = partition;
    record.topic_id = topic;
    record.replicas = one;
    record.isr = one;
    record.leader = 1;
    record.leader_epoch = 0;
    record.partition_epoch = 0;
    record.directories = directory;
    records.add(record, 2);
}

void add_config(RecordList& records, ResourceType type, std::string_view resource, std::string_view name, std::optional<std::string_view> value) {
    ConfigRecord record;
    record.resource_type = int8_t(type);
    record.resource_name = resource;
    record.name = name;
    record.value = value;
    records.add(record);
}

void add_level(RecordList& records, std::string_view name, int16_t level) {
    FeatureLevelRecord record;
    record.name = name;
    record.feature_level = level;
    records.add(record);
}

std::string names(const std::vector<TopicPtr>& topics) {
    std::string text;
    for (auto& topic : topics) text += topic->name + ":" + std::to_string(topic->partitions.size()) + " ";
    return text;
}

// A random cluster's life, one record at a time, each of them valid after those before it.
class Story {
public:
    explicit Story(uint32_t seed) : random_(seed) {
        RecordList level;
        add_level(level, "metadata.version", 30);
        records_.add_all(level);
    }

    void step() {
        switch (pick(12)) {
            case 0: create(); break;
            case 1: if (!topics_.empty()) grow(); break;
            case 2: if (topics_.size() > 3) remove(); break;
            case 3: if (!topics_.empty()) change(); break;
            case 4: case 5: configure(); break;
            case 6: add_level(records_, pick(2) ? "group.version" : "share.version", int16_t(pick(3))); break;
            case 7: broker(); break;
            case 8: quota(); break;
            case 9: credential(); break;
            case 10: acl(); break;
            case 11: others(); break;
        }
    }
    const RecordList& records() const { return records_; }

private:
    uint32_t pick(uint32_t n) { return random_() % n; }
    struct Made { std::string name; Uuid id; int32_t partitions; };
    Made& any_topic() { return topics_[pick(uint32_t(topics_.size()))]; }

    void create() {
        Made topic{fmt::format("topic-{}", pick(100000)), id_of(++ids_), int32_t(1 + pick(3))};
        for (auto& other : topics_) if (other.name == topic.name) return;
        add_topic(records_, topic.name, topic.id);
        for (int32_t i = 0; i < topic.partitions; ++i) add_partition(records_, topic.id, i);
        topics_.push_back(topic);
    }
    void grow() { auto& topic = any_topic(); add_partition(records_, topic.id, topic.partitions++); }
    void remove() {
        auto at = pick(uint32_t(topics_.size()));
        RemoveTopicRecord record;
        record.topic_id = topics_[at].id;
        records_.add(record);
        topics_.erase(topics_.begin() + at);
    }
    void change() {
        auto& topic = any_topic();
        const int32_t some[] = {1, 2};
        PartitionChangeRecord record;
        record.partition_id = int32_t(pick(uint32_t(topic.partitions)));
        record.topic_id = topic.id;
        if (pick(2)) record.leader = int32_t(pick(3)) - 1;
        if (pick(2)) record.isr = std::span(some).first(pick(3));
        if (pick(3) == 0) record.eligible_leader_replicas = std::span(some).first(pick(3));
        if (pick(3) == 0) record.last_known_elr = std::span(some).first(pick(2));
        if (pick(4) == 0) record.leader_recovery_state = int8_t(pick(2));
        records_.add(record, 2);
        if (pick(20) == 0) {
            ClearElrRecord clear;
            if (pick(2)) clear.topic_name = topic.name;
            records_.add(clear);
        }
    }
    void configure() {
        auto type = pick(2) && !topics_.empty() ? ResourceType::topic : ResourceType::broker;
        auto name = type == ResourceType::topic ? any_topic().name : pick(2) ? std::string("1") : std::string();
        auto key = fmt::format("key-{}", pick(4));
        auto value = fmt::format("{}", pick(100));
        add_config(records_, type, name, key, pick(3) ? std::optional<std::string_view>(value) : std::nullopt);
    }
    void broker() {
        const EndpointRecord endpoint[] = {{"PLAINTEXT", "localhost", 9092, 0}};
        const FeatureRangeRecord range[] = {{"metadata.version", 7, 30}};
        const Uuid directory[] = {id_of(99)};
        if (broker_epoch_ < 0 || pick(2)) {
            RegisterBrokerRecord record;
            record.broker_id = 1;
            record.broker_epoch = broker_epoch_ = int64_t(records_.size());
            record.incarnation_id = id_of(++ids_);
            record.end_points = endpoint;
            record.features = range;
            record.log_dirs = directory;
            if (pick(2)) record.rack = "r1";
            records_.add(record, 4);
        } else {
            BrokerRegistrationChangeRecord record;
            record.broker_id = 1;
            record.broker_epoch = broker_epoch_;
            record.fenced = int8_t(int32_t(pick(3)) - 1);
            record.in_controlled_shutdown = int8_t(pick(2));
            if (pick(2)) record.cordoned_log_dirs = std::span(directory).first(pick(2));
            records_.add(record, 3);
        }
    }
    void quota() {
        auto name = fmt::format("user-{}", pick(3));
        const ClientQuotaRecord::Entity entity[] = {{"user", pick(3) ? std::optional<std::string_view>(name) : std::nullopt}, {"client-id", "c"}};
        ClientQuotaRecord record;
        record.entity = std::span(entity).first(1 + pick(2));
        record.key = pick(2) ? "producer_byte_rate" : "consumer_byte_rate";
        record.value = pick(1000) / 8.0;
        record.remove = pick(3) == 0;
        records_.add(record);
    }
    void credential() {
        auto name = fmt::format("user-{}", pick(3));
        if (users_.contains(name) && pick(2)) {
            RemoveUserScramCredentialRecord record;
            record.name = name;
            record.mechanism = 1;
            records_.add(record);
            users_.erase(name);
            return;
        }
        UserScramCredentialRecord record;
        record.name = name;
        record.mechanism = 1;
        record.salt = as_bytes("salt");
        record.stored_key = as_bytes("stored");
        record.server_key = as_bytes("server");
        record.iterations = int32_t(4096 + pick(10));
        records_.add(record);
        users_.insert(name);
    }
    void acl() {
        if (!acls_.empty() && pick(2)) {
            RemoveAccessControlEntryRecord record;
            record.id = acls_.back();
            records_.add(record);
            acls_.pop_back();
            return;
        }
        AccessControlEntryRecord record;
        record.id = id_of(++ids_);
        record.resource_type = 2;
        record.resource_name = "t";
        record.pattern_type = 3;
        record.principal = "User:bob";
        record.host = "*";
        record.operation = int8_t(pick(10));
        record.permission_type = 3;
        records_.add(record);
        acls_.push_back(record.id);
    }
    void others() {
        const std::string_view renewers[] = {"User:a", "User:b"};
        const EndpointRecord endpoint[] = {{"CONTROLLER", "localhost", 9093, 0}};
        if (pick(3) == 0) {
            ProducerIdsRecord record;
            record.broker_id = 1;
            record.next_producer_id = int64_t(pick(10)) * 1000;
            records_.add(record);
        } else if (pick(2)) {
            DelegationTokenRecord record;
            record.owner = "User:o";
            record.requester = "User:r";
            record.renewers = renewers;
            record.max_timestamp = {5};
            auto id = fmt::format("token-{}", pick(3));
            record.token_id = id;
            records_.add(record);
            if (pick(2)) {
                RemoveDelegationTokenRecord gone;
                gone.token_id = id;
                records_.add(gone);
            }
        } else {
            RegisterControllerRecord record;
            record.controller_id = int32_t(pick(2));
            record.incarnation_id = id_of(++ids_);
            record.end_points = endpoint;
            records_.add(record);
        }
    }

    std::mt19937 random_;
    RecordList records_;
    std::vector<Made> topics_;
    std::set<std::string> users_;
    std::vector<Uuid> acls_;
    uint64_t ids_ = 0;
    int64_t broker_epoch_ = -1;
};

RecordList slice(const RecordList& from, size_t begin, size_t end) {
    RecordList to;
    for (size_t i = begin; i < end; ++i) to.add(from[i]);
    return to;
}

}  // namespace

TEST_CASE("a snapshot and the log after it make the same image as the whole log") {
    for (uint32_t seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        Story story(seed);
        while (story.records().size() < 300) story.step();
        auto& records = story.records();
        Applier whole(std::make_shared<Image>());
        auto at_end = apply(whole, records).image;

        for (size_t k : {size_t(1), records.size() / 3, records.size() / 2, records.size()}) {
            CAPTURE(k);

            Applier first(std::make_shared<Image>());
            auto at_k = apply(first, slice(records, 0, k)).image;
            auto file = snapshot_file(*at_k, Quorum(), 1, Timestamp{5});
            Applier second(std::make_shared<Image>());
            Quorum quorum;
            std::string problem;
            REQUIRE_MESSAGE(read_snapshot(file, quorum, second, problem), problem);
            REQUIRE(second.take());
            CHECK(same_state(*second.image(), *at_k));
            if (k < records.size()) apply(second, slice(records, k, records.size()), {int64_t(k)});
            CHECK(same_state(*second.image(), *at_end));
            CHECK(second.image()->generation > 0);
        }
        // In many small steps, and all images stay as they were.
        Applier stepwise(std::make_shared<Image>());
        std::vector<ImagePtr> images;
        for (size_t i = 0; i < records.size(); i += 7) {
            images.push_back(apply(stepwise, slice(records, i, std::min(i + 7, records.size())), {int64_t(i)}).image);
        }
        CHECK(same_state(*images.back(), *at_end));
        CHECK(images.back()->offset == Offset{int64_t(records.size()) - 1});
        Applier again(std::make_shared<Image>());
        for (size_t i = 0, n = 0; i < records.size(); i += 7, ++n) {
            apply(again, slice(records, i, std::min(i + 7, records.size())), {int64_t(i)});
            CHECK(same_state(*again.image(), *images[n]));
        }
    }
}

TEST_CASE("changes name what became of topics, partitions and configs") {
    Applier applier(std::make_shared<Image>());
    RecordList first;
    add_level(first, "metadata.version", 30);
    add_topic(first, "a", id_of(1));
    add_config(first, ResourceType::topic, "a", "retention.ms", "1");
    add_partition(first, id_of(1), 1);  // In any order.
    add_partition(first, id_of(1), 0);
    add_topic(first, "short", id_of(2));
    RemoveTopicRecord remove;
    remove.topic_id = id_of(2);
    first.add(remove);
    auto update = apply(applier, first);
    CHECK(names(update.changes.created) == "a:2 ");
    CHECK(names(update.changes.deleted) == "");
    CHECK(update.changes.grown.empty());
    CHECK(update.changes.altered.empty());
    REQUIRE(update.changes.configs.size() == 1);
    CHECK(update.changes.configs[0].name == "a");
    CHECK(update.changes.features);
    CHECK(update.image->offset == Offset{6});
    CHECK(update.image->epoch == 1);

    RecordList second;
    add_partition(second, id_of(1), 2);
    PartitionChangeRecord change;
    change.topic_id = id_of(1);
    change.partition_id = 0;
    change.leader = -1;
    second.add(change, 2);
    change.leader = PartitionChangeRecord::same_leader;
    second.add(change, 2);
    update = apply(applier, second, {7});
    REQUIRE(update.changes.grown.size() == 1);
    CHECK(update.changes.grown[0].first == 2);
    CHECK(update.changes.grown[0].topic->partitions.size() == 3);
    CHECK(update.changes.altered == std::vector<PartitionKey>{{id_of(1), 0}});
    auto state = update.image->partition({id_of(1), 0});
    REQUIRE(state);
    CHECK(state->leader == -1);
    CHECK(state->leader_epoch == 1);     // One record named a leader,
    CHECK(state->partition_epoch == 2);  // both count.

    RecordList third;
    remove.topic_id = id_of(1);
    third.add(remove);
    add_topic(third, "a", id_of(3));
    add_partition(third, id_of(3), 0);
    update = apply(applier, third, {9});
    CHECK(names(update.changes.deleted) == "a:3 ");
    CHECK(names(update.changes.created) == "a:1 ");
    CHECK(update.image->topic("a")->id == id_of(3));
    CHECK(update.image->topic(id_of(1)) == nullptr);
    CHECK(update.image->configs.empty());  // Configs go with their topic.
}

TEST_CASE("a metadata transaction is seen when it ends, and never if it is aborted") {
    Applier applier(std::make_shared<Image>());
    RecordList begin;
    add_level(begin, "metadata.version", 30);
    begin.add(BeginTransactionRecord());
    add_topic(begin, "a", id_of(1));
    auto update = apply(applier, begin);
    CHECK(applier.in_transaction());
    CHECK(update.image->topic("a") == nullptr);
    CHECK(update.image->features.level("metadata.version") == 30);

    RecordList more;
    add_partition(more, id_of(1), 0);
    CHECK(apply(applier, more, {3}).image->topic("a") == nullptr);
    RecordList end;
    end.add(EndTransactionRecord());
    update = apply(applier, end, {4});
    CHECK(names(update.changes.created) == "a:1 ");
    CHECK(update.image->topic("a") != nullptr);

    RecordList aborted;
    aborted.add(BeginTransactionRecord());
    add_topic(aborted, "b", id_of(2));
    aborted.add(AbortTransactionRecord());
    add_topic(aborted, "c", id_of(3));
    update = apply(applier, aborted, {5});
    CHECK_FALSE(applier.in_transaction());
    CHECK(update.image->topic("b") == nullptr);
    CHECK(update.image->topic("c") != nullptr);
    CHECK(update.image->offset == Offset{8});
}

TEST_CASE("what does not fit into the state is refused with a sentence") {
    auto framed = [](std::initializer_list<int> bytes) {
        std::vector<std::byte> value;
        for (auto byte : bytes) value.push_back(std::byte(byte));
        RecordList records;
        records.add(Bytes(value));
        return records;
    };
    CHECK(refusal(framed({1, 99, 0, 0})) == "metadata record 0: a record has type 99, which this rafka does not know");
    CHECK(refusal(framed({1, 2, 7, 0})) == "metadata record 0: record type 2 has version 7, and this rafka knows 0 to 0");
    CHECK(refusal(framed({2, 2, 0, 0})) == "metadata record 0: a record has frame version 2");
    CHECK(refusal(framed({1, 2, 0, 9})) == "metadata record 0: a record of type 2 does not parse");
    CHECK(refusal(framed({1})) == "metadata record 0: it has no frame");

    RecordList records;
    add_level(records, "metadata.version", 31);
    CHECK(refusal(records) == "metadata record 0: metadata.version is 31, and this rafka knows 7 to 30");
    records.clear();
    add_topic(records, "a", id_of(1));
    add_topic(records, "a", id_of(2));
    CHECK(refusal(records) == "metadata record 1: topic 'a' is created twice");
    records.clear();
    add_partition(records, id_of(1), 0);
    CHECK(refusal(records) == "metadata record 0: a partition of unknown topic " + to_text(id_of(1)));
    records.clear();
    add_topic(records, "a", id_of(1));
    add_partition(records, id_of(1), 1);
    CHECK(refusal(records) == "metadata record 1: topic 'a' has no partition 0");
    records.clear();
    records.add(EndTransactionRecord());
    CHECK(refusal(records) == "metadata record 0: a transaction ends that did not begin");
}

TEST_CASE("a metadata log of Kafka's gives the image its tools describe") {
    auto file = golden("metadata.log");
    Applier applier(std::make_shared<Image>());
    Quorum quorum;
    for (Bytes rest = file; !rest.empty();) {
        auto batch = BatchView::frame(rest);
        REQUIRE(batch);
        REQUIRE(batch->crc_matches());
        if (batch->is_control()) REQUIRE(quorum.apply(*batch));
        else REQUIRE_MESSAGE(applier.apply(*batch), applier.problem());
        rest = rest.subspan(batch->size());
    }
    REQUIRE(applier.take());
    auto& image = *applier.image();
    CHECK(quorum.kraft_version == 1);
    REQUIRE(quorum.voters.size() == 1);
    CHECK(quorum.voters[0].endpoints == std::vector<Voter::Endpoint>{{"CONTROLLER", "localhost", 19593}});
    CHECK(image.features.level("metadata.version") == 30);
    CHECK(image.features.level("transaction.version") == 2);
    CHECK(image.topics.size() == 1);
    auto alpha = image.topic("alpha");
    REQUIRE(alpha);
    REQUIRE(alpha->partitions.size() == 3);
    // A clean stop with eligible leader replicas leaves nobody in sync, and who was.
    CHECK(alpha->partitions[0].leader == -1);
    CHECK(alpha->partitions[0].isr.empty());
    CHECK(alpha->partitions[0].eligible_leader_replicas == std::vector<int32_t>{1});
    CHECK(alpha->partitions[0].leader_epoch == 1);
    CHECK(image.config(ResourceType::topic, "alpha")->values == ConfigMap{{"retention.ms", "99"}, {"segment.bytes", "1048576"}});
    CHECK(image.config(ResourceType::broker, "")->values == ConfigMap{{"log.retention.ms", "99"}, {"min.insync.replicas", "1"}});
    auto broker = image.broker(1);
    REQUIRE(broker);
    CHECK(broker->fenced);
    CHECK(broker->in_controlled_shutdown);
    CHECK(broker->endpoint("PLAINTEXT")->port == 19592);
    CHECK(image.controllers.size() == 1);
    REQUIRE(image.scram.size() == 1);
    CHECK(image.scram.begin()->user == "bob");
    CHECK(image.scram.begin()->iterations == 4096);
    REQUIRE(image.acls.size() == 1);
    CHECK(image.acls.begin()->principal == "User:bob");

    auto written = snapshot_file(image, quorum, image.epoch, Timestamp{7});
    Applier again(std::make_shared<Image>());
    Quorum quorum_again;
    std::string problem;
    REQUIRE_MESSAGE(read_snapshot(written, quorum_again, again, problem), problem);
    REQUIRE(again.take());
    CHECK(same_state(*again.image(), image));
    CHECK(quorum_again == quorum);
    written.resize(written.size() - 40);  // A snapshot without its footer is none.
    CHECK_FALSE(read_snapshot(written, quorum_again, again, problem));
}

TEST_CASE("quorum-state is Kafka's line, in both its versions") {
    auto text = golden_text("quorum-state");
    auto state = quorum_state_of(text);
    REQUIRE(state);
    CHECK(state->leader_id == 1);
    CHECK(state->leader_epoch == 1);
    CHECK(to_text(*state) == text);
    std::string old = R"({"clusterId":"a\"b","leaderId":-1,"leaderEpoch":7,"votedId":2,"appliedOffset":0,"currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0})";
    state = quorum_state_of(old);
    REQUIRE(state);
    CHECK(state->voters == std::vector<int32_t>{1, 2});
    CHECK(to_text(*state) == old);
    for (auto bad : {"", "{}", "[]", R"({"leaderEpoch":1})", R"({"leaderEpoch":-1,"data_version":1})", R"({"leaderEpoch":1,"data_version":2})",
                     R"({"leaderEpoch":"x","data_version":1})", R"({"leaderEpoch":99999999999,"data_version":1})"}) {
        CHECK_FALSE(quorum_state_of(bad));
    }
}
