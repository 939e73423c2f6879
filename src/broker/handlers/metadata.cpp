#include "broker/broker.hpp"
#include "broker/handlers/handlers.hpp"
#include "broker/handlers/topics.hpp"
#include "metadata/topics_control.hpp"
#include "protocol/messages/metadata.hpp"

#include <algorithm>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::MetadataResponse;
using rafka::metadata::Image;
using rafka::metadata::PartitionState;

wire::Array<int32_t> offline_of(const Image& image, const PartitionState& state, std::string_view listener, wire::Arena& arena) {
    auto list = arena.make<int32_t>(state.replicas.size());
    size_t count = 0;
    for (auto id : state.replicas) {
        if (!reachable(image, id, listener)) list[count++] = id;
    }
    return list.first(count);
}

// Replicas that can be reached, for clients of version 0.
wire::Array<int32_t> alive(const Image& image, const std::vector<int32_t>& ids, std::string_view listener, wire::Arena& arena) {
    auto list = arena.make<int32_t>(ids.size());
    size_t count = 0;
    for (auto id : ids) {
        if (reachable(image, id, listener)) list[count++] = id;
    }
    return list.first(count);
}

MetadataResponse::Partition describe(const Image& image, const PartitionState& state, int32_t index, Request& request) {
    auto listener = request.client->listener;
    MetadataResponse::Partition partition;
    partition.partition_index = index;
    partition.leader_id = state.leader;
    partition.leader_epoch = state.leader_epoch;
    partition.offline_replicas = offline_of(image, state, listener, request.arena);
    partition.replica_nodes = state.replicas;
    partition.isr_nodes = state.isr;
    if (request.version() == 0) {
        partition.replica_nodes = alive(image, state.replicas, listener, request.arena);
        partition.isr_nodes = alive(image, state.isr, listener, request.arena);
    }
    auto* leader = image.broker(state.leader);
    if (!leader || leader->fenced) {
        partition.leader_id = rafka::metadata::no_leader;
        partition.error_code = ErrorCode::leader_not_available;
    } else if (!leader->endpoint(listener)) {
        partition.leader_id = rafka::metadata::no_leader;
        partition.error_code = request.version() >= 6 ? ErrorCode::listener_not_found : ErrorCode::leader_not_available;
    } else if (request.version() == 0 && (partition.replica_nodes.size() < state.replicas.size() ||
                                          partition.isr_nodes.size() < state.isr.size())) {
        partition.error_code = ErrorCode::replica_not_available;
    }
    return partition;
}

MetadataResponse::Topic describe(const Image& image, const rafka::metadata::Topic& topic, Request& request) {
    MetadataResponse::Topic described;
    described.name = topic.name;
    described.topic_id = topic.id;
    described.is_internal = is_internal_topic(topic.name);
    auto partitions = request.arena.make<MetadataResponse::Partition>(topic.partitions.size());
    for (size_t i = 0; i < partitions.size(); ++i) partitions[i] = describe(image, topic.partitions[i], int32_t(i), request);
    described.partitions = partitions;
    return described;
}

MetadataResponse::Topic missing(std::optional<std::string_view> name, const Uuid& id, ErrorCode error) {
    MetadataResponse::Topic topic;
    topic.error_code = error;
    topic.name = name;
    topic.topic_id = id;
    topic.is_internal = name && is_internal_topic(*name);
    return topic;
}

// Clients ask again while their topic is not there: what is more than this of their requests at a time may be passed over.
constexpr size_t creations_max = 16;

Task<> create(Shard& shard, std::vector<rafka::metadata::NewTopic> topics) {
    ++shard.creations;
    auto& broker = shard.broker;
    auto created = co_await call_on(broker.home(), broker.controller().create_topics(std::move(topics), false));
    --shard.creations;
    for (auto& topic : created) {
        // Several clients ask for the same topic at once; the others find it there.
        if (topic.answer.error == 0 || topic.answer.error == int16_t(ErrorCode::topic_already_exists)) continue;
        uint64_t suppressed = 0;
        if (!shard.peer_lines.allow(shard.loop.now().since_start, suppressed)) continue;
        log::warn("topic not created on demand: topic={} error={} message=\"{}\" suppressed={}", topic.name, topic.answer.error,
                  topic.answer.message, suppressed);
    }
}

// A request that Kafka refuses as a whole: each of its topics carries the error.
void refuse(Request& request, const MetadataRequest& message, ErrorCode error) {
    MetadataResponse response;
    response.error_code = error;
    if (message.topics) {
        auto topics = request.arena.make<MetadataResponse::Topic>(message.topics->size());
        for (size_t i = 0; i < topics.size(); ++i) {
            auto& asked = (*message.topics)[i];
            // Before version 12 a name cannot be null here.
            topics[i] = missing(asked.name.value_or(std::string_view()), asked.topic_id, error);
            topics[i].is_internal = false;
        }
        response.topics = topics;
    }
    answer(request, response);
}

}  // namespace

Result<> metadata(Shard& shard, Request& request) {
    TRY(auto message, parse<MetadataRequest>(request));
    auto image_held = shard.image;
    auto& image = *image_held;
    auto& broker = shard.broker;
    bool all = !message.topics || (request.version() == 0 && message.topics->empty());

    std::vector<MetadataResponse::Topic> topics;
    std::vector<rafka::metadata::NewTopic> to_create;
    if (all) {
        for (auto& topic : image.topics) topics.push_back(describe(image, topic, request));
    } else {
        bool by_id = false;
        for (auto& asked : *message.topics) {
            bool has_id = !asked.topic_id.is_zero();
            by_id |= has_id;
            if (request.version() < 12 && (has_id || !asked.name)) {
                refuse(request, message, ErrorCode::invalid_request);
                return {};
            }
        }
        // Each topic once, in the order of its name; unknown ids come first.
        std::vector<std::string_view> names;
        for (auto& asked : *message.topics) {
            if (!by_id) {
                if (asked.name) names.push_back(*asked.name);
                continue;
            }
            if (asked.topic_id.is_zero()) continue;
            if (auto* topic = image.topic(asked.topic_id)) names.push_back(topic->name);
            else topics.push_back(missing(std::nullopt, asked.topic_id, ErrorCode::unknown_topic_id));
        }
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        std::vector<MetadataResponse::Topic> absent;
        bool may_create = message.allow_auto_topic_creation && broker.config().auto_create_topics;
        for (auto name : names) {
            if (auto* topic = image.topic(name)) {
                topics.push_back(describe(image, *topic, request));
            } else if (!is_topic_name(name)) {
                absent.push_back(missing(name, Uuid{}, ErrorCode::invalid_topic_exception));
            } else {
                absent.push_back(missing(name, Uuid{}, ErrorCode::unknown_topic_or_partition));
                if (!may_create || is_internal_topic(name) || name == rafka::metadata::cluster_metadata_topic) continue;
                to_create.emplace_back();
                to_create.back().name = name;
                if (to_create.size() <= rafka::metadata::partitions_per_request_max) continue;
                // The controller would refuse all of them.
                to_create.clear();
                may_create = false;
            }
        }
        topics.insert(topics.end(), absent.begin(), absent.end());
    }

    MetadataResponse response;
    if (request.version() >= 8 && message.include_topic_authorized_operations) {
        for (auto& topic : topics) topic.topic_authorized_operations = topic_operations;
    }
    if (message.include_cluster_authorized_operations) response.cluster_authorized_operations = cluster_operations;
    auto brokers = request.arena.make<MetadataResponse::Broker>(image.brokers.size());
    size_t count = 0;
    for (auto& node : image.brokers) {
        auto* endpoint = reachable(image, node.id, request.client->listener);
        if (!endpoint) continue;
        brokers[count] = {node.id, endpoint->host, endpoint->port, std::nullopt};
        if (node.rack) brokers[count].rack = *node.rack;
        ++count;
    }
    response.brokers = brokers.first(count);
    response.cluster_id = broker.cluster_id();
    response.controller_id = any_alive_broker(image);
    response.topics = topics;
    answer(request, response);

    // The client learns of them when it asks again, which it does soon.
    if (!to_create.empty() && shard.creations < creations_max) shard.tasks.start(create(shard, std::move(to_create)));
    return {};
}

}  // namespace rafka::broker::handlers
