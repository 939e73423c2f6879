#include "metadata/delta.hpp"

#include "base/log.hpp"
#include "base/varint.hpp"
#include "metadata/record_list.hpp"
#include "protocol/records/cluster.hpp"
#include "protocol/records/security.hpp"
#include "protocol/records/topics.hpp"

#include <algorithm>

namespace rafka::metadata {

using namespace protocol;

namespace {

constexpr size_t partitions_ahead_max = 10'000;  // A batch may name a topic's partitions in any order.
constexpr size_t batch_decompressed_max = size_t(256) << 20;

template <class T>
std::vector<T> list(wire::Array<T> from) { return {from.begin(), from.end()}; }
template <class T>
std::vector<T> list(const std::optional<wire::Array<T>>& from) { return from ? list(*from) : std::vector<T>(); }

template <class T>
void assign(std::vector<T>& to, const std::optional<wire::Array<T>>& from) {
    if (from) to.assign(from->begin(), from->end());
}

std::vector<Endpoint> endpoints(const auto& from) {
    std::vector<Endpoint> to;
    for (auto& x : from) to.push_back({std::string(x.name), std::string(x.host), x.port, x.security_protocol});
    return to;
}
std::vector<FeatureRange> features(const auto& from) {
    std::vector<FeatureRange> to;
    for (auto& x : from) to.push_back({std::string(x.name), x.min_supported_version, x.max_supported_version});
    return to;
}

std::vector<std::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// Zero ids, "migrating", stand where a record did not name directories.
void complete_directories(PartitionState& state) {
    if (state.directories.empty()) state.directories.resize(state.replicas.size());
}

template <class Sorted, class Value>
void put(Sorted& sorted, std::string_view key, std::optional<Value> value) {
    auto place = std::lower_bound(sorted.begin(), sorted.end(), key,
                                  [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
    bool there = place != sorted.end() && place->first == key;
    if (!value) {
        if (there) sorted.erase(place);
    } else if (there) {
        place->second = *value;
    } else {
        sorted.emplace(place, std::string(key), *value);
    }
}

}  // namespace

Delta::Delta(const Image& base) : next_(std::make_shared<Image>(base)) { ++next_->generation; }

Result<> Delta::refuse(std::string problem) {
    problem_ = std::move(problem);
    return fail(Errc::malformed);
}

Delta::OpenTopic* Delta::open_topic(const Uuid& id) {
    if (auto open = open_topics_.find(id); open != open_topics_.end()) return &open->second;
    auto there = next_->topics_by_id.find(id);
    if (!there) return nullptr;
    auto copied = std::make_shared<Topic>(*there);
    next_->topics.put(edit(), copied);
    next_->topics_by_id.put(edit(), copied);
    auto partitions = copied->partitions.size();
    return &open_topics_.emplace(id, OpenTopic{std::move(copied), false, partitions, {}}).first->second;
}

template <>
Result<> Delta::replay(const TopicRecord& record) {
    if (record.topic_id.is_zero() || record.name.empty()) return refuse(fmt::format("topic '{}' has no name or no id", record.name));
    if (next_->topics.find(record.name)) return refuse(fmt::format("topic '{}' is created twice", record.name));
    if (next_->topics_by_id.find(record.topic_id)) return refuse(fmt::format("two topics with id {}", to_text(record.topic_id)));
    auto topic = std::make_shared<Topic>();
    topic->name = record.name;
    topic->id = record.topic_id;
    next_->topics.put(edit(), topic);
    next_->topics_by_id.put(edit(), topic);
    open_topics_.emplace(topic->id, OpenTopic{topic, true, 0, {}});
    created_.push_back(topic->id);
    return {};
}

template <>
Result<> Delta::replay(const RemoveTopicRecord& record) {
    auto pointer = next_->topics_by_id.find_pointer(record.topic_id);
    if (!pointer) return refuse(fmt::format("unknown topic {} is removed", to_text(record.topic_id)));
    auto topic = *pointer;
    next_->topics.erase(edit(), topic->name);
    next_->topics_by_id.erase(edit(), topic->id);
    next_->configs.erase(edit(), std::pair(ResourceType::topic, std::string_view(topic->name)));
    configs_.erase({ResourceType::topic, topic->name});
    auto open = open_topics_.find(record.topic_id);
    bool created_here = open != open_topics_.end() && open->second.created;
    if (open != open_topics_.end()) open_topics_.erase(open);
    if (created_here) std::erase(created_, record.topic_id);
    else changes_.deleted.push_back(std::move(topic));
    return {};
}

template <>
Result<> Delta::replay(const PartitionRecord& record) {
    auto open = open_topic(record.topic_id);
    if (!open) return refuse(fmt::format("a partition of unknown topic {}", to_text(record.topic_id)));
    auto& partitions = open->topic->partitions;
    if (record.partition_id < 0 || size_t(record.partition_id) > partitions.size() + partitions_ahead_max) {
        return refuse(fmt::format("partition {} of topic '{}' is out of range", record.partition_id, open->topic->name));
    }
    PartitionState state;
    state.replicas = list(record.replicas);
    state.isr = list(record.isr);
    state.removing_replicas = list(record.removing_replicas);
    state.adding_replicas = list(record.adding_replicas);
    state.eligible_leader_replicas = list(record.eligible_leader_replicas);
    state.last_known_elr = list(record.last_known_elr);
    state.directories = list(record.directories);
    state.leader = record.leader;
    state.leader_recovery_state = record.leader_recovery_state;
    state.leader_epoch = record.leader_epoch;
    state.partition_epoch = record.partition_epoch;
    if (state.replicas.empty()) return refuse(fmt::format("partition {}-{} has no replica", open->topic->name, record.partition_id));
    complete_directories(state);
    if (state.directories.size() != state.replicas.size()) {
        return refuse(fmt::format("partition {}-{} has {} replicas and {} directories", open->topic->name, record.partition_id,
                      state.replicas.size(), state.directories.size()));
    }
    if (size_t(record.partition_id) >= partitions.size()) partitions.resize(size_t(record.partition_id) + 1);
    partitions[size_t(record.partition_id)] = std::move(state);
    if (!open->created && size_t(record.partition_id) < open->partitions_before) open->altered.insert(record.partition_id);
    return {};
}

template <>
Result<> Delta::replay(const PartitionChangeRecord& record) {
    auto open = open_topic(record.topic_id);
    if (!open) return refuse(fmt::format("a partition of unknown topic {} changes", to_text(record.topic_id)));
    auto& partitions = open->topic->partitions;
    if (record.partition_id < 0 || size_t(record.partition_id) >= partitions.size()) {
        return refuse(fmt::format("unknown partition {}-{} changes", open->topic->name, record.partition_id));
    }
    auto& state = partitions[size_t(record.partition_id)];
    assign(state.replicas, record.replicas);
    assign(state.isr, record.isr);
    assign(state.removing_replicas, record.removing_replicas);
    assign(state.adding_replicas, record.adding_replicas);
    assign(state.eligible_leader_replicas, record.eligible_leader_replicas);
    assign(state.last_known_elr, record.last_known_elr);
    assign(state.directories, record.directories);
    if (std::all_of(state.directories.begin(), state.directories.end(), [](const Uuid& id) { return id.is_zero(); })) {
        state.directories.assign(state.replicas.size(), Uuid{});
    }
    if (state.directories.size() != state.replicas.size()) {
        return refuse(fmt::format("partition {}-{} has {} replicas and {} directories", open->topic->name, record.partition_id,
                      state.replicas.size(), state.directories.size()));
    }
    // The epochs are not in the record: every node counts them, and must count alike.
    if (record.leader != -2) {
        state.leader = record.leader;
        ++state.leader_epoch;
    }
    if (record.leader_recovery_state != -1) state.leader_recovery_state = record.leader_recovery_state;
    ++state.partition_epoch;
    if (!open->created && size_t(record.partition_id) < open->partitions_before) open->altered.insert(record.partition_id);
    return {};
}

template <>
Result<> Delta::replay(const ClearElrRecord& record) {
    std::vector<Uuid> ids;
    for (auto& topic : next_->topics) {
        if (!record.topic_name.empty() && record.topic_name != topic.name) continue;
        auto has_elr = [](const PartitionState& state) { return !state.eligible_leader_replicas.empty() || !state.last_known_elr.empty(); };
        if (std::any_of(topic.partitions.begin(), topic.partitions.end(), has_elr)) ids.push_back(topic.id);
    }
    if (!record.topic_name.empty() && !next_->topic(record.topic_name)) return refuse(fmt::format("the eligible leaders of unknown topic '{}' are cleared", record.topic_name));
    for (auto& id : ids) {
        auto open = open_topic(id);
        for (size_t i = 0; i < open->topic->partitions.size(); ++i) {
            auto& state = open->topic->partitions[i];
            if (state.eligible_leader_replicas.empty() && state.last_known_elr.empty()) continue;
            state.eligible_leader_replicas.clear();
            state.last_known_elr.clear();
            ++state.partition_epoch;
            if (!open->created && i < open->partitions_before) open->altered.insert(int32_t(i));
        }
    }
    return {};
}

template <>
Result<> Delta::replay(const ConfigRecord& record) {
    auto type = ResourceType(record.resource_type);
    std::string name(record.resource_name);
    auto there = next_->config(type, name);
    auto config = there ? std::make_shared<Config>(*there) : std::make_shared<Config>(Config{type, name, {}});
    if (record.value) config->values.insert_or_assign(std::string(record.name), std::string(*record.value));
    else if (auto value = config->values.find(record.name); value != config->values.end()) config->values.erase(value);
    if (!config->values.empty()) next_->configs.put(edit(), std::move(config));
    else if (there) next_->configs.erase(edit(), std::pair(type, std::string_view(name)));
    configs_.emplace(type, std::move(name));
    return {};
}

template <>
Result<> Delta::replay(const FeatureLevelRecord& record) {
    if (record.name == "kraft.version") return {};  // Lives in control records.
    if (record.name == "metadata.version" && (record.feature_level < metadata_version_oldest || record.feature_level > metadata_version_newest)) {
        return refuse(fmt::format("metadata.version is {}, and this rafka knows {} to {}", record.feature_level, metadata_version_oldest, metadata_version_newest));
    }
    put(next_->features.levels, record.name, record.feature_level == 0 ? std::nullopt : std::optional<int16_t>(record.feature_level));
    changes_.features = true;
    return {};
}

template <>
Result<> Delta::replay(const RegisterBrokerRecord& record) {
    auto broker = std::make_shared<Broker>();
    broker->id = record.broker_id;
    broker->epoch = record.broker_epoch;
    broker->incarnation = record.incarnation_id;
    broker->is_migrating_zk_broker = record.is_migrating_zk_broker;
    broker->endpoints = endpoints(record.end_points);
    broker->features = features(record.features);
    if (record.rack) broker->rack = std::string(*record.rack);
    broker->fenced = record.fenced;
    broker->in_controlled_shutdown = record.in_controlled_shutdown;
    broker->directories = list(record.log_dirs);
    if (record.cordoned_log_dirs) broker->cordoned_directories = list(*record.cordoned_log_dirs);
    next_->brokers.put(edit(), std::move(broker));
    changes_.brokers = true;
    return {};
}

Result<> Delta::change_broker(int32_t id, int64_t epoch, std::shared_ptr<Broker>& out) {
    auto there = next_->broker(id);
    if (!there) return refuse(fmt::format("unknown broker {} changes", id));
    if (there->epoch != epoch) return refuse(fmt::format("broker {} changes at epoch {}, and is registered at {}", id, epoch, there->epoch));
    out = std::make_shared<Broker>(*there);
    next_->brokers.put(edit(), out);
    changes_.brokers = true;
    return {};
}

template <>
Result<> Delta::replay(const UnregisterBrokerRecord& record) {
    std::shared_ptr<Broker> broker;
    CHECKED(change_broker(record.broker_id, record.broker_epoch, broker));
    next_->brokers.erase(edit(), record.broker_id);
    return {};
}

template <>
Result<> Delta::replay(const FenceBrokerRecord& record) {
    std::shared_ptr<Broker> broker;
    CHECKED(change_broker(record.id, record.epoch, broker));
    broker->fenced = true;
    return {};
}

template <>
Result<> Delta::replay(const UnfenceBrokerRecord& record) {
    std::shared_ptr<Broker> broker;
    CHECKED(change_broker(record.id, record.epoch, broker));
    broker->fenced = false;
    return {};
}

template <>
Result<> Delta::replay(const BrokerRegistrationChangeRecord& record) {
    if (record.fenced < -1 || record.fenced > 1 || record.in_controlled_shutdown < 0 || record.in_controlled_shutdown > 1) {
        return refuse(fmt::format("broker {} changes to an unknown state", record.broker_id));
    }
    std::shared_ptr<Broker> broker;
    CHECKED(change_broker(record.broker_id, record.broker_epoch, broker));
    if (record.fenced != 0) broker->fenced = record.fenced > 0;
    if (record.in_controlled_shutdown != 0) broker->in_controlled_shutdown = true;
    if (!record.log_dirs.empty()) broker->directories = list(record.log_dirs);
    if (record.cordoned_log_dirs) broker->cordoned_directories = list(*record.cordoned_log_dirs);
    return {};
}

template <>
Result<> Delta::replay(const RegisterControllerRecord& record) {
    auto controller = std::make_shared<ControllerRegistration>();
    controller->id = record.controller_id;
    controller->incarnation = record.incarnation_id;
    controller->zk_migration_ready = record.zk_migration_ready;
    controller->endpoints = endpoints(record.end_points);
    controller->features = features(record.features);
    next_->controllers.put(edit(), std::move(controller));
    changes_.others = true;
    return {};
}

template <>
Result<> Delta::replay(const ProducerIdsRecord& record) {
    next_->producer_ids = {record.broker_id, record.broker_epoch, record.next_producer_id};
    changes_.others = true;
    return {};
}

template <>
Result<> Delta::replay(const AccessControlEntryRecord& record) {
    auto acl = std::make_shared<AccessControl>();
    acl->id = record.id;
    acl->resource_type = record.resource_type;
    acl->resource_name = record.resource_name;
    acl->pattern_type = record.pattern_type;
    acl->principal = record.principal;
    acl->host = record.host;
    acl->operation = record.operation;
    acl->permission = record.permission_type;
    next_->acls.put(edit(), std::move(acl));
    changes_.others = true;
    return {};
}

template <>
Result<> Delta::replay(const RemoveAccessControlEntryRecord& record) {
    if (!next_->acls.erase(edit(), record.id)) return refuse(fmt::format("unknown access control entry {} is removed", to_text(record.id)));
    changes_.others = true;
    return {};
}

template <>
Result<> Delta::replay(const UserScramCredentialRecord& record) {
    auto credential = std::make_shared<ScramCredential>();
    credential->user = record.name;
    credential->mechanism = record.mechanism;
    credential->salt = copy(record.salt);
    credential->stored_key = copy(record.stored_key);
    credential->server_key = copy(record.server_key);
    credential->iterations = record.iterations;
    next_->scram.put(edit(), std::move(credential));
    changes_.others = true;
    return {};
}

template <>
Result<> Delta::replay(const RemoveUserScramCredentialRecord& record) {
    if (!next_->scram.erase(edit(), std::pair(record.name, record.mechanism))) {
        return refuse(fmt::format("an unknown credential of user '{}' is removed", record.name));
    }
    changes_.others = true;
    return {};
}

template <>
Result<> Delta::replay(const DelegationTokenRecord& record) {
    auto token = std::make_shared<DelegationToken>();
    token->owner = record.owner;
    token->requester = record.requester;
    for (auto renewer : record.renewers) token->renewers.emplace_back(renewer);
    token->issued_ms = record.issue_timestamp.ms;
    token->max_ms = record.max_timestamp.ms;
    token->expires_ms = record.expiration_timestamp.ms;
    token->id = record.token_id;
    next_->tokens.put(edit(), std::move(token));
    changes_.others = true;
    return {};
}

template <>
Result<> Delta::replay(const RemoveDelegationTokenRecord& record) {
    next_->tokens.erase(edit(), std::string(record.token_id));
    changes_.others = true;
    return {};
}

template <>
Result<> Delta::replay(const ClientQuotaRecord& record) {
    decltype(ClientQuota::entity) entity;
    for (auto& part : record.entity) {
        entity.emplace_back(part.entity_type, part.entity_name ? std::optional(std::string(*part.entity_name)) : std::nullopt);
    }
    std::sort(entity.begin(), entity.end());
    auto there = next_->quotas.find(entity);
    auto quota = there ? std::make_shared<ClientQuota>(*there) : std::make_shared<ClientQuota>(ClientQuota{entity, {}});
    put(quota->limits, record.key, record.remove ? std::nullopt : std::optional(record.value));
    if (!quota->limits.empty()) next_->quotas.put(edit(), std::move(quota));
    else next_->quotas.erase(edit(), entity);
    changes_.others = true;
    return {};
}

template <class R>
Result<> Delta::read_and_replay(Bytes fields, int16_t version) {
    if (!R::schema.contains(version)) {
        return refuse(fmt::format("record type {} has version {}, and this rafka knows {} to {}", R::schema.key, version, R::schema.oldest, R::schema.newest));
    }
    arena_.reset();
    auto record = wire::read<R>(fields, arena_, version);
    if (!record) return refuse(fmt::format("a record of type {} does not parse", R::schema.key));
    return replay(*record);
}

Result<> Delta::apply(Bytes record) {
    auto at = record.data();
    auto end = at + record.size();
    uint32_t frame = 0, type = 0, version = 0;
    at = read_unsigned_varint(at, end, frame);
    if (at && frame != record_frame_version) return refuse(fmt::format("a record has frame version {}", frame));
    if (at) at = read_unsigned_varint(at, end, type);
    if (at) at = read_unsigned_varint(at, end, version);
    if (!at || version > INT16_MAX) return refuse("a record has no frame");
    Bytes fields(at, end);
    switch (type) {
#define RECORD(R) case uint32_t(R::schema.key): return read_and_replay<R>(fields, int16_t(version));
        RECORD(RegisterBrokerRecord)
        RECORD(UnregisterBrokerRecord)
        RECORD(TopicRecord)
        RECORD(PartitionRecord)
        RECORD(ConfigRecord)
        RECORD(PartitionChangeRecord)
        RECORD(FenceBrokerRecord)
        RECORD(UnfenceBrokerRecord)
        RECORD(RemoveTopicRecord)
        RECORD(DelegationTokenRecord)
        RECORD(UserScramCredentialRecord)
        RECORD(FeatureLevelRecord)
        RECORD(ClientQuotaRecord)
        RECORD(ProducerIdsRecord)
        RECORD(BrokerRegistrationChangeRecord)
        RECORD(AccessControlEntryRecord)
        RECORD(RemoveAccessControlEntryRecord)
        RECORD(RemoveUserScramCredentialRecord)
        RECORD(RemoveDelegationTokenRecord)
        RECORD(RegisterControllerRecord)
        RECORD(ClearElrRecord)
#undef RECORD
        case 20:  // NoOp: keeps an idle log moving.
        case 21:  // ZkMigrationState: history, from 4.0 on.
            return {};
        default: return refuse(fmt::format("a record has type {}, which this rafka does not know", type));
    }
}

Result<ImagePtr> Delta::finish(Offset offset, LeaderEpoch epoch, Timestamp time, Changes& changes) {
    for (auto& [id, open] : open_topics_) {
        auto& topic = *open.topic;
        for (size_t i = 0; i < topic.partitions.size(); ++i) {
            if (topic.partitions[i].replicas.empty()) {
                CHECKED(refuse(fmt::format("topic '{}' has no partition {}", topic.name, i)));
            }
        }
        if (open.created) continue;
        for (auto partition : open.altered) changes_.altered.push_back({id, partition});
        if (topic.partitions.size() > open.partitions_before) {
            changes_.grown.push_back({open.topic, int32_t(open.partitions_before)});
        }
    }
    for (auto& id : created_) changes_.created.push_back(open_topics_.at(id).topic);
    for (auto& [type, name] : configs_) changes_.configs.push_back({type, name});
    next_->offset = offset;
    next_->epoch = epoch;
    next_->time = time;
    changes = std::move(changes_);
    return ImagePtr(std::move(next_));
}

Result<> Applier::refuse(Offset offset, std::string_view problem) {
    problem_ = fmt::format("metadata record {}: {}", offset.value, problem);
    return fail(Errc::malformed);
}

Result<> Applier::apply(BatchView batch) {
    auto reader = RecordReader::open(batch, batch_decompressed_max);
    if (!reader) return refuse(batch.base_offset(), "its batch cannot be read");
    epoch_ = batch.leader_epoch();
    time_ = batch.max_timestamp();
    RecordView view;
    while (reader->next(view)) {
        auto offset = reader->offset_of(view);
        if (!view.value) return refuse(offset, "it has no value");
        CHECKED(record(*view.value, offset));
        offset_ = offset;
    }
    if (!reader->ok()) return refuse(batch.base_offset(), "its batch cannot be read");
    offset_ = batch.last_offset();
    return {};
}

Result<> Applier::place(Offset offset, LeaderEpoch epoch) {
    if (in_transaction_) return refuse(offset, "a snapshot ends within a transaction");
    offset_ = offset;
    epoch_ = epoch;
    if (!delta_) delta_ = std::make_unique<Delta>(*image_);
    return publish();
}

Result<> Applier::record(Bytes value, Offset offset) {
    uint32_t frame = 0, type = 0;
    auto at = read_unsigned_varint(value.data(), value.data() + value.size(), frame);
    if (at) at = read_unsigned_varint(at, value.data() + value.size(), type);
    if (!at) return refuse(offset, "it has no frame");
    if (type == uint32_t(BeginTransactionRecord::schema.key)) {
        if (in_transaction_) return refuse(offset, "a transaction begins within another");
        CHECKED(publish());  // What stands before it stays, whatever becomes of it.
        in_transaction_ = true;
    } else if (type == uint32_t(EndTransactionRecord::schema.key) || type == uint32_t(AbortTransactionRecord::schema.key)) {
        if (!in_transaction_) return refuse(offset, "a transaction ends that did not begin");
        in_transaction_ = false;
        if (type == uint32_t(AbortTransactionRecord::schema.key)) delta_.reset();
    } else {
        if (!delta_) delta_ = std::make_unique<Delta>(*image_);
        if (!delta_->apply(value)) return refuse(offset, delta_->problem());
        return {};
    }
    if (!delta_) delta_ = std::make_unique<Delta>(*image_);
    return {};
}

Result<> Applier::publish() {
    if (!delta_) return {};
    Update update;
    auto image = delta_->finish(offset_, epoch_, time_, update.changes);
    if (!image) return refuse(offset_, delta_->problem());
    delta_.reset();
    update.image = image_ = std::move(*image);
    updates_.push_back(std::move(update));
    return {};
}

Result<std::vector<Applier::Update>> Applier::take() {
    if (!in_transaction_) CHECKED(publish());
    return std::exchange(updates_, {});
}

}  // namespace rafka::metadata
