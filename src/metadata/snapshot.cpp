#include "metadata/snapshot.hpp"

#include "base/log.hpp"
#include "protocol/records/cluster.hpp"
#include "protocol/records/control.hpp"
#include "protocol/records/security.hpp"
#include "protocol/records/topics.hpp"

#include <charconv>
#include <functional>

namespace rafka::metadata {

using namespace protocol;

namespace {

constexpr size_t batch_bytes_max = size_t(1) << 20;
constexpr size_t offset_digits = 20;
constexpr size_t epoch_digits = 10;

template <class T>
bool digits(std::string_view text, T& out) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() && out >= 0;
}

std::vector<EndpointRecord> endpoints(const std::vector<Endpoint>& from) {
    std::vector<EndpointRecord> to;
    for (auto& x : from) to.push_back({x.name, x.host, x.port, x.security_protocol});
    return to;
}
std::vector<FeatureRangeRecord> features(const std::vector<FeatureRange>& from) {
    std::vector<FeatureRangeRecord> to;
    for (auto& x : from) to.push_back({x.name, x.min, x.max});
    return to;
}

template <class T>
std::optional<wire::Array<T>> unless_empty(const std::vector<T>& list) {
    return list.empty() ? std::nullopt : std::optional<wire::Array<T>>(list);
}

}  // namespace

void add_record(const Broker& broker, const RecordVersions& versions, RecordList& records) {
    auto ends = endpoints(broker.endpoints);
    auto ranges = features(broker.features);
    RegisterBrokerRecord record;
    record.broker_id = broker.id;
    record.is_migrating_zk_broker = broker.is_migrating_zk_broker;
    record.incarnation_id = broker.incarnation;
    record.broker_epoch = broker.epoch;
    record.end_points = ends;
    record.features = ranges;
    if (broker.rack) record.rack = *broker.rack;
    record.fenced = broker.fenced;
    record.in_controlled_shutdown = broker.in_controlled_shutdown;
    record.log_dirs = broker.directories;
    if (broker.cordoned_directories) record.cordoned_log_dirs = wire::Array<Uuid>(*broker.cordoned_directories);
    records.add(record, versions.register_broker);
}

void add_record(const ControllerRegistration& controller, const RecordVersions& versions, RecordList& records) {
    if (!versions.register_controller) return;
    auto ends = endpoints(controller.endpoints);
    auto ranges = features(controller.features);
    RegisterControllerRecord record;
    record.controller_id = controller.id;
    record.incarnation_id = controller.incarnation;
    record.zk_migration_ready = controller.zk_migration_ready;
    record.end_points = ends;
    record.features = ranges;
    records.add(record);
}

namespace {

void add_topic(const Topic& topic, const RecordVersions& versions, RecordList& records) {
    TopicRecord head;
    head.name = topic.name;
    head.topic_id = topic.id;
    records.add(head);
    for (size_t i = 0; i < topic.partitions.size(); ++i) {
        auto& state = topic.partitions[i];
        PartitionRecord record;
        record.partition_id = int32_t(i);
        record.topic_id = topic.id;
        record.replicas = state.replicas;
        record.isr = state.isr;
        record.removing_replicas = state.removing_replicas;
        record.adding_replicas = state.adding_replicas;
        record.leader = state.leader;
        record.leader_recovery_state = state.leader_recovery_state;
        record.leader_epoch = state.leader_epoch;
        record.partition_epoch = state.partition_epoch;
        record.directories = state.directories;
        record.eligible_leader_replicas = unless_empty(state.eligible_leader_replicas);
        record.last_known_elr = unless_empty(state.last_known_elr);
        records.add(record, versions.partition);
    }
}

void add_config(const Config& config, RecordList& records) {
    for (auto& [name, value] : config.values) {
        ConfigRecord record;
        record.resource_type = int8_t(config.type);
        record.resource_name = config.name;
        record.name = name;
        record.value = value;
        records.add(record);
    }
}

void add_quota(const ClientQuota& quota, RecordList& records) {
    std::vector<ClientQuotaRecord::Entity> entity;
    for (auto& [type, name] : quota.entity) {
        entity.push_back({type, name ? std::optional<std::string_view>(*name) : std::nullopt});
    }
    for (auto& [key, value] : quota.limits) {
        ClientQuotaRecord record;
        record.entity = entity;
        record.key = key;
        record.value = value;
        records.add(record);
    }
}

void add_acl(const AccessControl& acl, RecordList& records) {
    AccessControlEntryRecord record;
    record.id = acl.id;
    record.resource_type = acl.resource_type;
    record.resource_name = acl.resource_name;
    record.pattern_type = acl.pattern_type;
    record.principal = acl.principal;
    record.host = acl.host;
    record.operation = acl.operation;
    record.permission_type = acl.permission;
    records.add(record);
}

void add_credential(const ScramCredential& credential, RecordList& records) {
    UserScramCredentialRecord record;
    record.name = credential.user;
    record.mechanism = credential.mechanism;
    record.salt = credential.salt;
    record.stored_key = credential.stored_key;
    record.server_key = credential.server_key;
    record.iterations = credential.iterations;
    records.add(record);
}

void add_token(const DelegationToken& token, RecordList& records) {
    std::vector<std::string_view> renewers(token.renewers.begin(), token.renewers.end());
    DelegationTokenRecord record;
    record.owner = token.owner;
    record.requester = token.requester;
    record.renewers = renewers;
    record.issue_timestamp = {token.issued_ms};
    record.max_timestamp = {token.max_ms};
    record.expiration_timestamp = {token.expires_ms};
    record.token_id = token.id;
    records.add(record);
}

// metadata.version comes first: it says how to read what follows.
void add_features(const Features& features, RecordList& records) {
    auto add = [&](const std::string& name, int16_t level) {
        FeatureLevelRecord record;
        record.name = name;
        record.feature_level = level;
        records.add(record);
    };
    for (auto& [name, level] : features.levels) {
        if (name == "metadata.version") add(name, level);
    }
    for (auto& [name, level] : features.levels) {
        if (name != "metadata.version") add(name, level);
    }
}

}  // namespace

std::string snapshot_name(const SnapshotId& id) { return fmt::format("{:020}-{:010}", id.end_offset.value, id.epoch); }

std::optional<SnapshotId> snapshot_id_of(std::string_view file_name) {
    SnapshotId id;
    if (file_name.size() != offset_digits + 1 + epoch_digits + snapshot_suffix.size() || !file_name.ends_with(snapshot_suffix) ||
        file_name[offset_digits] != '-' || !digits(file_name.substr(0, offset_digits), id.end_offset.value) ||
        !digits(file_name.substr(offset_digits + 1, epoch_digits), id.epoch)) {
        return std::nullopt;
    }
    return id;
}

void add_records(const Image& image, RecordList& records) {
    RecordVersions versions(image.features);
    add_features(image.features, records);
    for (auto& broker : image.brokers) add_record(broker, versions, records);
    for (auto& controller : image.controllers) add_record(controller, versions, records);
    for (auto& topic : image.topics_by_id) add_topic(topic, versions, records);
    for (auto& config : image.configs) add_config(config, records);
    for (auto& quota : image.quotas) add_quota(quota, records);
    if (image.producer_ids.next >= 0) {
        ProducerIdsRecord record;
        record.broker_id = image.producer_ids.broker_id;
        record.broker_epoch = image.producer_ids.broker_epoch;
        record.next_producer_id = image.producer_ids.next;
        records.add(record);
    }
    for (auto& acl : image.acls) add_acl(acl, records);
    if (versions.scram) {
        for (auto& credential : image.scram) add_credential(credential, records);
    }
    if (versions.tokens) {
        for (auto& token : image.tokens) add_token(token, records);
    }
}

std::vector<std::byte> data_batches(const RecordList& records, Offset base, LeaderEpoch epoch, Timestamp now) {
    std::vector<std::byte> out;
    for (size_t i = 0; i < records.size();) {
        BatchBuilder::Options options;
        options.base_offset = base + int64_t(i);
        options.leader_epoch = epoch;
        BatchBuilder batch(options);
        do {
            batch.add(now, std::nullopt, records[i++]);
        } while (i < records.size() && batch.size_estimate() < batch_bytes_max);
        auto bytes = batch.build();
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
}

namespace {

std::vector<std::byte> file_of(std::vector<std::byte> header, const RecordList& records, LeaderEpoch epoch, Timestamp now) {
    auto base = BatchView::trusted(header).next_offset();
    auto data = data_batches(records, base, epoch, now);
    auto footer = snapshot_footer_batch(base + int64_t(records.size()), epoch, now);
    auto file = std::move(header);
    file.insert(file.end(), data.begin(), data.end());
    file.insert(file.end(), footer.begin(), footer.end());
    return file;
}

// Every batch of a file, checked. Ends early when `visit` fails.
Result<> each_batch(Bytes file, std::string& problem, const std::function<Result<>(BatchView)>& visit) {
    for (auto rest = file; !rest.empty();) {
        auto batch = BatchView::frame(rest);
        if (!batch || !batch->crc_matches()) {
            problem = fmt::format("its batch at byte {} is broken", file.size() - rest.size());
            return fail(Errc::corrupt_batch);
        }
        CHECKED(visit(*batch));
        rest = rest.subspan(batch->size());
    }
    return {};
}

Result<std::optional<ControlType>> first_type(BatchView batch) {
    TRY(auto reader, RecordReader::open(batch, batch.size()));
    RecordView view;
    if (!reader.next(view) || !view.key) return fail(Errc::malformed);
    TRY(auto type, read_control_key(*view.key));
    return type;
}

}  // namespace

std::vector<std::byte> snapshot_file(const Image& image, const Quorum& quorum, LeaderEpoch epoch, Timestamp now) {
    RecordList records;
    add_records(image, records);
    return file_of(snapshot_header_batch(quorum, epoch, image.time, now), records, epoch, now);
}

std::vector<std::byte> bootstrap_file(const RecordList& records, Timestamp now) {
    return file_of(snapshot_header_batch(Quorum(), 0, Timestamp{0}, now), records, 0, now);
}

Result<> read_snapshot(Bytes file, Quorum& quorum, Applier& applier, std::string& problem) {
    bool begun = false, ended = false;
    CHECKED(each_batch(file, problem, [&](BatchView batch) -> Result<> {
        if (ended) { problem = "something follows its footer"; return fail(Errc::malformed); }
        if (!batch.is_control()) {
            if (!begun) { problem = "it does not begin with a header"; return fail(Errc::malformed); }
            auto applied = applier.apply(batch);
            if (!applied) problem = applier.problem();
            return applied;
        }
        auto type = first_type(batch);
        auto applied = quorum.apply(batch);
        if (!type || !applied) { problem = "a control batch of it does not parse"; return fail(Errc::malformed); }
        if (*type == ControlType::snapshot_header) begun = true;
        if (*type == ControlType::snapshot_footer) ended = true;
        return {};
    }));
    if (begun && ended) return {};
    problem = "it has no header or no footer";
    return fail(Errc::malformed);
}

Result<RecordList> read_bootstrap(Bytes file) {
    RecordList records;
    std::string problem;
    CHECKED(each_batch(file, problem, [&](BatchView batch) -> Result<> {
        if (batch.is_control()) return {};
        TRY(auto reader, RecordReader::open(batch, size_t(256) << 20));
        RecordView view;
        while (reader.next(view)) {
            if (!view.value) return fail(Errc::malformed);
            records.add(*view.value);
        }
        return reader.ok() ? Result<>() : fail(Errc::malformed);
    }));
    return records;
}

}  // namespace rafka::metadata
