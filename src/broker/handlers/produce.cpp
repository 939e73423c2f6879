#include "base/endian.hpp"
#include "broker/broker.hpp"
#include "broker/gather.hpp"
#include "broker/handlers/by_loop.hpp"
#include "broker/handlers/handlers.hpp"
#include "broker/handlers/topics.hpp"
#include "protocol/messages/produce.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::ErrorCode;
using protocol::ProduceRequest;
using protocol::ProduceResponse;

// One batch on its way to its partition.
struct Append {
    PartitionKey key;
    Bytes batch;
    ProduceResponse::Partition* answer = nullptr;
    std::vector<RejectedRecord>* rejected = nullptr;  // Owned by Rejections; null: none.
};

// What few requests have, outside of the arena that holds the appends.
class Rejections {
public:
    explicit Rejections(std::span<Append> appends) : appends_(appends) {}
    Rejections(const Rejections&) = delete;
    ~Rejections() {
        for (auto& append : appends_) delete append.rejected;
    }

private:
    std::span<Append> appends_;
};

// Whether Kafka would see a batch here, whole and of whatever format: less than that at the end it leaves alone.
bool has_batch(Bytes bytes) {
    if (bytes.size() <= batch_at::magic) return false;
    return int64_t(load_be<int32_t>(bytes.data() + batch_at::length)) + int64_t(batch_size_prefix) <= int64_t(bytes.size());
}

// What Kafka asks of the records before it looks at the partition. `batch` becomes the one that is there.
ErrorCode check(const std::optional<Bytes>& records, int16_t version, Bytes& taken) {
    if (!records || !has_batch(*records)) return ErrorCode::invalid_record;
    auto magic = std::to_integer<int>((*records)[batch_at::magic]);
    if (magic < 2) return ErrorCode::invalid_record;
    auto batch = BatchView::frame(*records);
    if (!batch) return ErrorCode::corrupt_message;
    taken = batch->bytes();
    if (has_batch(records->subspan(taken.size()))) return ErrorCode::invalid_record;  // Exactly one batch.
    if (version < 7 && batch->codec() == Codec::zstd) return ErrorCode::unsupported_compression_type;
    if (batch->is_transactional()) return ErrorCode::transactional_id_authorization_failed;
    return ErrorCode::none;
}

// Without a sentence: clients have one of their own for each code, which people look for.
void refuse(ProduceResponse::Partition& answer, ErrorCode error) {
    answer.error_code = error;
    answer.base_offset = no_offset;
}

// Kafka names the log's start beside failures that it found while it looked at the records, not beside others.
bool names_log_start(Errc errc) {
    return errc == Errc::invalid_record || errc == Errc::invalid_timestamp || errc == Errc::out_of_order_sequence ||
           errc == Errc::invalid_producer_epoch || errc == Errc::unsupported_codec;
}

// On the partition's loop. Up to the append's first wait nothing waits here, so batches keep their order.
Task<> append_one(Engine& engine, Append& append) {
    auto& answer = *append.answer;
    auto* partition = engine.find(append.key);
    if (!partition) {
        refuse(answer, ErrorCode::not_leader_or_follower);
        co_return;
    }
    auto log_start = partition->log_start_offset();
    std::vector<RejectedRecord> rejected;
    auto appended = co_await partition->append(append.batch, Origin::client, &rejected);
    if (!appended) {
        if (!rejected.empty()) append.rejected = new std::vector<RejectedRecord>(std::move(rejected));
        refuse(answer, protocol::to_kafka(appended.error()));
        if (names_log_start(appended.error())) answer.log_start_offset = log_start;
        co_return;
    }
    answer.base_offset = appended->base_offset;
    answer.log_append_time_ms = appended->log_append_time;
    answer.log_start_offset = appended->log_start_offset;
}

Task<> append_group(Engine& engine, Loop& home, OnLoop<Append>& group) {
    co_await Hop(*group.loop);
    if (group.items.size() == 1) {
        co_await append_one(engine, *group.items.front());
    } else {
        Gather gather(*group.loop);
        for (auto* append : group.items) gather.start(append_one(engine, *append));
        co_await gather.done();
    }
    co_await Hop(home);
}

// Kafka's sentences about single records and about them all. Names are of its form TOPIC-PARTITION.
void describe_rejected(const Append& append, const rafka::metadata::Image& image, wire::Arena& arena) {
    if (!append.rejected) return;
    auto& rejected = *append.rejected;
    auto* topic = image.topic(append.key.topic_id);
    auto errors = arena.make<ProduceResponse::RecordError>(rejected.size());
    std::string first;
    for (size_t i = 0; i < errors.size(); ++i) {
        auto& record = rejected[i];
        auto message = record.message;
        if (record.names_partition && topic) message += topic->name + "-" + std::to_string(append.key.partition);
        if (i < 3) first += (i ? ", " : "") + ("RecordError(batchIndex=" + std::to_string(record.index) + ", message='" + message + "')");
        errors[i].batch_index = record.index;
        errors[i].batch_index_error_message = arena.copy(message);
    }
    append.answer->record_errors = errors;
    if (append.answer->error_code == ErrorCode::invalid_timestamp) {
        append.answer->error_message = "One or more records have been rejected due to invalid timestamp";
        return;
    }
    append.answer->error_message = arena.copy("One or more records have been rejected due to " + std::to_string(errors.size()) +
                                              " record errors in total, and only showing the first three errors at most: [" + first + "]");
}

// Where the leader is, so that the client need not ask (KIP-951).
void point_to_leaders(std::span<Append> appends, ProduceResponse& response, Shard& shard, Request& request) {
    if (request.version() < 10) return;
    std::vector<int32_t> leaders;
    for (auto& append : appends) {
        if (append.answer->error_code != ErrorCode::not_leader_or_follower) continue;
        auto* state = shard.image->partition(append.key);
        if (!state) continue;
        append.answer->current_leader = {state->leader, state->leader_epoch};
        if (std::find(leaders.begin(), leaders.end(), state->leader) == leaders.end()) leaders.push_back(state->leader);
    }
    auto nodes = request.arena.make<protocol::NodeEndpoint>(leaders.size());
    size_t count = 0;
    for (auto id : leaders) {
        auto* endpoint = reachable(*shard.image, id, request.client->listener);
        if (endpoint) nodes[count++] = {id, request.arena.copy(endpoint->host), endpoint->port, std::nullopt};
    }
    response.node_endpoints = nodes.first(count);
}

}  // namespace

Task<Result<>> produce(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<ProduceRequest>(request));
    auto& image = *shard.image;
    auto& engine = shard.broker.engine();
    auto all = ErrorCode::none;
    if (message.acks < -1 || message.acks > 1) all = ErrorCode::invalid_required_acks;
    if (message.transactional_id) all = ErrorCode::unsupported_version;  // There are no transactions.

    auto topics = request.arena.make<ProduceResponse::Topic>(message.topic_data.size());
    size_t count_max = 0;
    for (auto& topic : message.topic_data) count_max += topic.partition_data.size();
    auto appends = request.arena.make<Append>(count_max);
    size_t count = 0;
    for (size_t i = 0; i < topics.size(); ++i) {
        auto& asked = message.topic_data[i];
        bool by_id = request.version() >= 13;
        auto* topic = by_id ? image.topic(asked.topic_id) : image.topic(asked.name);
        topics[i].name = asked.name;
        topics[i].topic_id = asked.topic_id;
        auto partitions = request.arena.make<ProduceResponse::Partition>(asked.partition_data.size());
        topics[i].partition_responses = partitions;
        for (size_t j = 0; j < partitions.size(); ++j) {
            auto& data = asked.partition_data[j];
            auto& answer = partitions[j];
            answer.index = data.index;
            Bytes batch;
            if (!topic && by_id) {
                refuse(answer, ErrorCode::unknown_topic_id);
            } else if (!topic || data.index < 0 || size_t(data.index) >= topic->partitions.size()) {
                refuse(answer, ErrorCode::unknown_topic_or_partition);
            } else if (auto refusal = check(data.records, request.version(), batch); refusal != ErrorCode::none) {
                refuse(answer, refusal);
            } else if (all != ErrorCode::none) {
                refuse(answer, all);
            } else if (is_internal_topic(topic->name) && request.client_id() != "__admin_client") {
                refuse(answer, ErrorCode::invalid_topic_exception);
            } else {
                auto& append = appends[count++];
                append.key = {topic->id, data.index};
                append.batch = batch;
                append.answer = &answer;
            }
        }
    }

    appends = appends.first(count);
    Rejections rejections(appends);
    auto groups = by_loop(engine, appends, request.arena);
    // Started without a wait since the request came: what this connection sends later finds its place behind.
    if (appends.size() == 1 && groups.front().loop == &shard.loop) {
        co_await append_one(engine, appends.front());
    } else if (groups.size() == 1) {
        co_await append_group(engine, shard.loop, groups.front());
    } else if (!groups.empty()) {
        Gather gather(shard.loop);
        for (auto& group : groups) gather.start(append_group(engine, shard.loop, group));
        co_await gather.done();
    }

    if (message.acks == 0) {
        // No answer; but a producer must not go on believing.
        for (auto& topic : topics) {
            for (auto& partition : topic.partition_responses) request.close |= partition.error_code != ErrorCode::none;
        }
        co_return Result<>();
    }
    for (auto& append : appends) describe_rejected(append, *shard.image, request.arena);
    ProduceResponse response;
    response.responses = topics;
    point_to_leaders(appends, response, shard, request);
    answer(request, response);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
