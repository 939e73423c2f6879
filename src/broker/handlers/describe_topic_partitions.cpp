#include "broker/broker.hpp"
#include "broker/handlers/handlers.hpp"
#include "broker/handlers/topics.hpp"
#include "protocol/messages/describe_topic_partitions.hpp"

#include <algorithm>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::DescribeTopicPartitionsRequest;
using protocol::DescribeTopicPartitionsResponse;
using protocol::ErrorCode;
using rafka::metadata::Image;
using rafka::metadata::PartitionState;

// max.request.partition.size.limit
constexpr int32_t partitions_max = 2000;

DescribeTopicPartitionsResponse::Partition describe(const Image& image, const PartitionState& state, int32_t index, Request& request) {
    auto listener = request.client->listener;
    DescribeTopicPartitionsResponse::Partition partition;
    partition.partition_index = index;
    partition.leader_id = reachable(image, state.leader, listener) ? state.leader : rafka::metadata::no_leader;
    partition.leader_epoch = state.leader_epoch;
    partition.replica_nodes = state.replicas;
    partition.isr_nodes = state.isr;
    partition.eligible_leader_replicas = wire::Array<int32_t>(state.eligible_leader_replicas);
    partition.last_known_elr = wire::Array<int32_t>(state.last_known_elr);
    auto offline = request.arena.make<int32_t>(state.replicas.size());
    size_t count = 0;
    for (auto id : state.replicas) {
        if (!reachable(image, id, listener)) offline[count++] = id;
    }
    partition.offline_replicas = offline.first(count);
    return partition;
}

void refuse(const DescribeTopicPartitionsRequest& message, Request& request) {
    auto topics = request.arena.make<DescribeTopicPartitionsResponse::Topic>(message.topics.size());
    for (size_t i = 0; i < topics.size(); ++i) {
        topics[i].error_code = ErrorCode::invalid_request;
        topics[i].name = message.topics[i].name;
    }
    DescribeTopicPartitionsResponse response;
    response.topics = topics;
    answer(request, response);
}

// The names to describe, in order, from the cursor on.
std::vector<std::string_view> names_of(const DescribeTopicPartitionsRequest& message, const Image& image) {
    std::string_view from = message.cursor ? message.cursor->topic_name : std::string_view();
    std::vector<std::string_view> names;
    if (message.topics.empty()) {
        for (auto topic = image.topics.from(from); topic != image.topics.end(); ++topic) names.push_back(topic->name);
        return names;
    }
    for (auto& topic : message.topics) {
        if (topic.name >= from) names.push_back(topic.name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

}  // namespace

Result<> describe_topic_partitions(Shard& shard, Request& request) {
    TRY(auto message, parse<DescribeTopicPartitionsRequest>(request));
    auto& image = *shard.image;
    auto names = names_of(message, image);
    if (message.cursor) {
        bool is_there = message.topics.empty() || (!names.empty() && names.front() == message.cursor->topic_name);
        if (!is_there || message.cursor->partition_index < 0) {
            refuse(message, request);
            return {};
        }
    }

    wire::ArrayBuilder<DescribeTopicPartitionsResponse::Topic> topics(request.arena);
    DescribeTopicPartitionsResponse response;
    auto left = size_t(std::clamp(message.response_partition_limit, 1, partitions_max));
    for (auto name : names) {
        if (left == 0) {
            response.next_cursor = {name, 0};
            break;
        }
        auto& described = topics.push();
        described.name = name;
        described.is_internal = is_internal_topic(name);
        described.topic_authorized_operations = topic_operations;
        auto* topic = image.topic(name);
        if (!topic) {
            described.error_code = is_topic_name(name) ? ErrorCode::unknown_topic_or_partition : ErrorCode::invalid_topic_exception;
            continue;
        }
        described.topic_id = topic->id;
        size_t first = message.cursor && message.cursor->topic_name == name ? size_t(message.cursor->partition_index) : 0;
        size_t end = std::min(topic->partitions.size(), first + left);
        auto partitions = request.arena.make<DescribeTopicPartitionsResponse::Partition>(end > first ? end - first : 0);
        for (size_t i = 0; i < partitions.size(); ++i) {
            partitions[i] = describe(image, topic->partitions[first + i], int32_t(first + i), request);
        }
        described.partitions = partitions;
        if (end < topic->partitions.size()) {
            response.next_cursor = {name, int32_t(end)};
            break;
        }
        left -= partitions.size();
    }
    response.topics = topics.take();
    answer(request, response);
    return {};
}

}  // namespace rafka::broker::handlers
