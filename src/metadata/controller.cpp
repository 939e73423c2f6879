#include "metadata/controller.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "io/errc.hpp"
#include "io/file.hpp"
#include "metadata/config_control.hpp"
#include "metadata/format.hpp"
#include "metadata/log.hpp"
#include "metadata/together.hpp"
#include "metadata/topics_control.hpp"
#include "protocol/errors.hpp"
#include "protocol/records/cluster.hpp"
#include "protocol/records/topics.hpp"

#include <limits>

namespace rafka::metadata {

using namespace protocol;

namespace {

constexpr size_t request_bytes_max = size_t(8) << 20;
constexpr int32_t producer_ids_per_block = 1000;
constexpr std::string_view bootstrap_file_name = "bootstrap.checkpoint";
constexpr std::string_view elr_feature = "eligible.leader.replicas.version";

class EmbeddedController final : public Controller {
public:
    EmbeddedController(Engine& engine, ControllerOptions options)
        : engine_(engine), options_(std::move(options)), loop_(Loop::current()), log_(engine), applier_(std::make_shared<Image>()),
          free_(loop_), tasks_(loop_) {}

    Task<Result<>> open(std::string* problem);

    void listen(Listener listener) override { listener_ = std::move(listener); }
    ImagePtr image() const override { return applier_.image(); }
    int64_t broker_epoch() const override { return broker_epoch_; }
    int16_t kraft_version() const override { return log_.quorum().kraft_version; }
    Task<Result<>> close() override;

    Task<std::vector<TopicCreated>> create_topics(std::vector<NewTopic> topics, bool validate_only) override;
    Task<std::vector<Answer>> delete_topics(std::vector<TopicDeletion> topics) override;
    Task<std::vector<Answer>> create_partitions(std::vector<MorePartitions> topics, bool validate_only) override;
    Task<std::vector<Answer>> alter_configs(std::vector<ConfigChanges> resources, bool validate_only) override;
    Task<ProducerIdBlock> allocate_producer_ids() override;

private:
    // One request at a time decides and writes; the next one sees what it did.
    class Turn {
    public:
        explicit Turn(EmbeddedController& controller) : controller_(controller) {}
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn() {
            controller_.busy_ = false;
            controller_.free_.notify_one();
        }

    private:
        EmbeddedController& controller_;
    };
    Task<> take_turn();

    Result<> check_quorum(std::string* problem) const;
    Task<Result<>> activate();
    Task<Result<Features>> add_bootstrap(RecordList& records);
    RecordList registrations(const Features& features);
    // Answer 0: what `records` say is committed and published.
    Task<Answer> commit(RecordList records);
    std::vector<std::byte> batch_of(const RecordList& records);
    Task<Result<>> write(const RecordList& records);
    void apply(const std::vector<std::byte>& batch);
    Task<> publish();
    Task<> write_snapshot(ImagePtr image);
    static void refuse_all(std::vector<Answer>& answers, const Answer& why);

    Engine& engine_;
    ControllerOptions options_;
    Loop& loop_;
    Log log_;
    Applier applier_;
    Listener listener_;
    Event free_;
    Scope tasks_;
    int64_t broker_epoch_ = -1;
    bool busy_ = false;
    bool closed_ = false;
    bool broken_ = false;
    bool snapshot_running_ = false;
};

Task<> EmbeddedController::take_turn() {
    while (busy_) co_await free_.wait();
    busy_ = true;
}

// ---- Starting.

Task<Result<>> EmbeddedController::open(std::string* problem) {
    auto loaded = co_await log_.load(applier_);
    if (!loaded) {
        if (problem) *problem = log_.problem().empty() ? std::string(to_text(loaded.error())) : log_.problem();
        co_return loaded;
    }
    auto taken = applier_.take();
    if (!taken) {
        if (problem) *problem = applier_.problem();
        co_return fail(taken.error());
    }
    CO_CHECKED(check_quorum(problem));
    auto active = co_await activate();
    if (!active && problem) {
        *problem = fmt::format("the metadata log {}/{}-0 cannot be written: {}", engine_.options().directory, cluster_metadata_topic,
                               to_text(active.error()));
    }
    if (!active) co_return active;
    auto& image = *applier_.image();
    log::info("controller active: epoch={} metadata_offset={} topics={} broker_epoch={}", log_.epoch(), image.offset.value,
              image.topics.size(), broker_epoch_);
    co_return Result<>();
}

Result<> EmbeddedController::check_quorum(std::string* problem) const {
    auto& quorum = log_.quorum();
    if (quorum.kraft_version == 0) return {};
    if (quorum.voters.size() == 1 && quorum.voters[0].id == options_.node_id && quorum.voters[0].directory_id == options_.directory_id) return {};
    std::string voters;
    for (auto& voter : quorum.voters) voters += fmt::format("{}{} ({})", voters.empty() ? "" : ", ", voter.id, to_text(voter.directory_id));
    if (problem) {
        *problem = fmt::format("the metadata quorum has the voters {}, and a node alone must be its only one: node {} ({})", voters,
                               options_.node_id, to_text(options_.directory_id));
    }
    return fail(Errc::invalid_argument);
}

// Everything a start has to say goes to the disk at once: it is one wait, or two.
Task<Result<>> EmbeddedController::activate() {
    auto leader_change = log_.begin_epoch(options_.node_id);
    log_.place(leader_change);
    std::vector<Task<Result<>>> writes;
    writes.push_back(log_.write(leader_change));
    writes.push_back(log_.write_quorum_state(options_.cluster_id, options_.node_id));

    RecordList first;
    if (applier_.in_transaction()) {
        AbortTransactionRecord record;
        record.reason = "Controller failover";
        first.add(record);
    }
    auto features = applier_.image()->features;
    if (features.level("metadata.version") == 0) {
        CO_TRY(features, co_await add_bootstrap(first));
    }
    std::vector<std::byte> first_batch;
    if (!first.empty()) {
        first_batch = batch_of(first);
        log_.place(first_batch);
        writes.push_back(log_.write(first_batch));
    }
    auto registration_batch = batch_of(registrations(features));
    log_.place(registration_batch);
    writes.push_back(log_.write(registration_batch));
    CO_CHECKED(co_await together(std::move(writes)));
    if (!first.empty()) apply(first_batch);
    apply(registration_batch);
    co_await publish();

    // Partitions that nobody leads since the directory was last closed.
    RecordList leadership;
    plan_leadership(*applier_.image(), options_, leadership);
    for (size_t i = 0; i < leadership.size();) {
        RecordList some;
        while (i < leadership.size() && some.size() < records_per_request_max) some.add(leadership[i++]);
        CO_CHECKED(co_await write(some));
    }
    co_return Result<>();
}

// An empty log begins with what the formatter left for it, as one transaction. Gives the features it sets.
Task<Result<Features>> EmbeddedController::add_bootstrap(RecordList& records) {
    auto path = engine_.options().directory + "/" + std::string(bootstrap_file_name);
    RecordList bootstrap;
    auto file = co_await io::read_file(loop_.io(), path);
    if (file) {
        CO_TRY(bootstrap, read_bootstrap(*file));
    } else if (file.error() == Errc::not_found) {
        FeatureLevelRecord record;
        record.name = "metadata.version";
        record.feature_level = metadata_version_newest;
        bootstrap.add(record);
    } else {
        co_return fail(file.error());
    }
    // Looked at first: what features it sets, and that it is sound.
    Applier trial(std::make_shared<Image>());
    auto batch = data_batches(bootstrap, Offset{0}, 0, Timestamp{0});
    for (Bytes rest = batch; !rest.empty();) {
        CO_TRY(auto view, BatchView::frame(rest));
        CO_CHECKED(trial.apply(view));
        rest = rest.subspan(view.size());
    }
    CO_CHECKED(trial.take());
    auto features = trial.image()->features;
    bool transactions = RecordVersions(features).transactions;

    BeginTransactionRecord begin;
    begin.name = "Bootstrap records";
    if (transactions) records.add(begin);
    records.add_all(bootstrap);
    if (features.level(elr_feature) > 0) {
        const ConfigMap none;
        auto value = broker_config("min.insync.replicas", {none, none, options_.static_configs}).value_or("1");
        ConfigRecord record;
        record.resource_type = int8_t(ResourceType::broker);
        record.name = "min.insync.replicas";
        record.value = value;
        records.add(record);
    }
    if (transactions) records.add(EndTransactionRecord());
    co_return features;
}

// This controller, this broker under its new epoch, and the broker unfenced. A broker's epoch is its record's offset.
RecordList EmbeddedController::registrations(const Features& features) {
    RecordList records;
    RecordVersions versions(features);
    ControllerRegistration controller;
    controller.id = options_.node_id;
    controller.incarnation = random_uuid(loop_.io());
    controller.endpoints = options_.controller_endpoints;
    controller.features = options_.features;
    add_record(controller, versions, records);

    broker_epoch_ = log_.end().value + int64_t(records.size());
    Broker broker;
    broker.id = options_.node_id;
    broker.epoch = broker_epoch_;
    broker.incarnation = random_uuid(loop_.io());
    broker.endpoints = options_.broker_endpoints;
    broker.features = options_.features;
    broker.rack = options_.rack;
    broker.directories = {options_.directory_id};
    add_record(broker, versions, records);

    BrokerRegistrationChangeRecord unfence;
    unfence.broker_id = options_.node_id;
    unfence.broker_epoch = broker_epoch_;
    unfence.fenced = -1;
    records.add(unfence);
    return records;
}

Task<Result<>> EmbeddedController::close() {
    co_await take_turn();
    Turn turn(*this);
    if (closed_) co_return Result<>();
    closed_ = true;
    RecordList records;
    BrokerRegistrationChangeRecord fence;
    fence.broker_id = options_.node_id;
    fence.broker_epoch = broker_epoch_;
    fence.fenced = 1;
    records.add(fence);
    Result<> written;
    if (!broken_) written = co_await write(records);
    co_await tasks_.drained();
    co_return written;
}

// ---- Writing.

std::vector<std::byte> EmbeddedController::batch_of(const RecordList& records) {
    BatchBuilder::Options options;
    options.leader_epoch = log_.epoch();
    BatchBuilder builder(options);
    auto now = loop_.io().wall();
    for (size_t i = 0; i < records.size(); ++i) builder.add(now, std::nullopt, records[i]);
    return builder.build();
}

// A batch that is in the log. What we wrote ourselves fits, or this is not our state.
void EmbeddedController::apply(const std::vector<std::byte>& batch) {
    auto applied = applier_.apply(BatchView::trusted(batch));
    if (!applied) log::error("metadata does not apply: problem={}", applier_.problem());
    ASSERT(applied.has_value());
}

Task<Result<>> EmbeddedController::write(const RecordList& records) {
    auto batch = batch_of(records);
    log_.place(batch);
    auto written = co_await log_.write(batch);
    if (!written && io::is_shortage(written.error())) {
        log_.take_back(batch);
        log::warn("metadata not written, the change is refused: error={}", to_text(written.error()));
        co_return written;
    }
    if (!written) {
        broken_ = true;
        log::error("metadata not written, nothing changes until a restart: error={}", to_text(written.error()));
        co_return written;
    }
    apply(batch);
    co_await publish();
    co_return Result<>();
}

Task<> EmbeddedController::publish() {
    auto updates = applier_.take();
    ASSERT(updates.has_value());
    for (auto& update : *updates) {
        if (listener_) co_await listener_(update.image, std::move(update.changes));
    }
    if (log_.bytes_since_snapshot() < options_.snapshot_bytes || snapshot_running_ || closed_ || applier_.in_transaction()) co_return;
    snapshot_running_ = true;
    tasks_.start(write_snapshot(applier_.image()));
}

Task<> EmbeddedController::write_snapshot(ImagePtr image) {
    auto written = co_await log_.write_snapshot(std::move(image));
    if (!written) log::warn("metadata snapshot not written: error={}", to_text(written.error()));
    snapshot_running_ = false;
}

Task<Answer> EmbeddedController::commit(RecordList records) {
    if (closed_) co_return Answer{int16_t(ErrorCode::not_controller), "The controller is shutting down."};
    if (broken_) co_return Answer{int16_t(ErrorCode::kafka_storage_error), "The metadata log cannot be written; see the log of the broker."};
    if (records.empty()) co_return Answer();
    if (records.bytes() > request_bytes_max) {
        co_return Answer{int16_t(ErrorCode::policy_violation), "Unable to perform excessively large batch operation."};
    }
    auto written = co_await write(records);
    if (written) co_return Answer();
    co_return Answer{int16_t(ErrorCode::kafka_storage_error), "The metadata log cannot be written; see the log of the broker."};
}

void EmbeddedController::refuse_all(std::vector<Answer>& answers, const Answer& why) {
    if (why.error == 0) return;
    for (auto& answer : answers) {
        if (answer.error == 0) answer = why;
    }
}

// ---- Requests.

Task<std::vector<TopicCreated>> EmbeddedController::create_topics(std::vector<NewTopic> topics, bool validate_only) {
    co_await take_turn();
    Turn turn(*this);
    RecordList records;
    auto new_id = [this] { return random_uuid(loop_.io()); };
    auto created = plan_creation(*applier_.image(), options_, topics, new_id, records);
    if (validate_only) co_return created;
    auto answer = co_await commit(std::move(records));
    if (answer.error == 0) co_return created;
    for (auto& topic : created) {
        if (topic.answer.error != 0) continue;
        auto name = std::move(topic.name);
        topic = TopicCreated();
        topic.name = std::move(name);
        topic.answer = answer;
    }
    co_return created;
}

Task<std::vector<Answer>> EmbeddedController::delete_topics(std::vector<TopicDeletion> topics) {
    co_await take_turn();
    Turn turn(*this);
    RecordList records;
    auto answers = plan_deletion(*applier_.image(), options_, topics, records);
    auto answer = co_await commit(std::move(records));
    refuse_all(answers, answer);
    co_return answers;
}

Task<std::vector<Answer>> EmbeddedController::create_partitions(std::vector<MorePartitions> topics, bool validate_only) {
    co_await take_turn();
    Turn turn(*this);
    RecordList records;
    auto answers = plan_more_partitions(*applier_.image(), options_, topics, records);
    if (validate_only) co_return answers;
    auto answer = co_await commit(std::move(records));
    refuse_all(answers, answer);
    co_return answers;
}

Task<std::vector<Answer>> EmbeddedController::alter_configs(std::vector<ConfigChanges> resources, bool validate_only) {
    co_await take_turn();
    Turn turn(*this);
    RecordList records;
    auto answers = plan_configs(*applier_.image(), options_, resources, records);
    if (validate_only) co_return answers;
    auto answer = co_await commit(std::move(records));
    refuse_all(answers, answer);
    co_return answers;
}

Task<ProducerIdBlock> EmbeddedController::allocate_producer_ids() {
    co_await take_turn();
    Turn turn(*this);
    auto first = std::max<int64_t>(applier_.image()->producer_ids.next, 0);
    if (first > std::numeric_limits<int64_t>::max() - producer_ids_per_block) co_return ProducerIdBlock();
    ProducerIdsRecord record;
    record.broker_id = options_.node_id;
    record.broker_epoch = broker_epoch_;
    record.next_producer_id = first + producer_ids_per_block;
    RecordList records;
    records.add(record);
    auto answer = co_await commit(std::move(records));
    if (answer.error != 0) co_return ProducerIdBlock();
    ProducerIdBlock block;
    block.first = first;
    block.count = producer_ids_per_block;
    co_return block;
}

}  // namespace

PartitionKey cluster_metadata_key() {
    PartitionKey key;
    key.topic_id.bytes[15] = std::byte{1};
    return key;
}

std::vector<FeatureRange> supported_features() {
    return {{"kraft.version", 0, 1}, {"metadata.version", metadata_version_oldest, metadata_version_newest}};
}

Task<Result<std::unique_ptr<Controller>>> Controller::open(Engine& engine, ControllerOptions options, std::string* problem) {
    auto controller = std::make_unique<EmbeddedController>(engine, std::move(options));
    CO_CHECKED(co_await controller->open(problem));
    co_return std::unique_ptr<Controller>(std::move(controller));
}

}  // namespace rafka::metadata
