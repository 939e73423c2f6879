#include "broker/broker.hpp"
#include "broker/handlers/handlers.hpp"
#include "protocol/messages/create_topics.hpp"

#include <map>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::ErrorCode;
using rafka::metadata::NewTopic;
using rafka::metadata::TopicCreated;

NewTopic new_topic(const CreateTopicsRequest::Topic& asked) {
    NewTopic topic;
    topic.name = asked.name;
    topic.partitions = asked.num_partitions;
    topic.replication_factor = asked.replication_factor;
    for (auto& assignment : asked.assignments) {
        topic.assignments.emplace_back(assignment.partition_index,
                                       std::vector<int32_t>(assignment.broker_ids.begin(), assignment.broker_ids.end()));
    }
    for (auto& config : asked.configs) {
        std::optional<std::string> value;
        if (config.value) value.emplace(*config.value);
        topic.configs.emplace_back(std::string(config.name), std::move(value));
    }
    return topic;
}

// The topic's configuration as it is in force, for the answer of version 5 and later.
wire::Array<CreateTopicsResponse::Config> configs_of(const CreateTopicsRequest::Topic& asked, Shard& shard, wire::Arena& arena) {
    rafka::metadata::ConfigMap values;
    for (auto& config : asked.configs) {
        if (config.value) values.insert_or_assign(std::string(config.name), std::string(*config.value));
    }
    ConfigLayers layers(*shard.image, shard.broker.config().node_id, shard.broker.config().values);
    auto entries = rafka::metadata::describe_topic(values, layers.broker());
    auto configs = arena.make<CreateTopicsResponse::Config>(entries.size());
    for (size_t i = 0; i < configs.size(); ++i) {
        configs[i].name = entries[i].key->name;
        if (entries[i].value) configs[i].value = arena.copy(*entries[i].value);
        configs[i].read_only = entries[i].read_only;
        configs[i].config_source = int8_t(entries[i].source);
        configs[i].is_sensitive = entries[i].key->sensitive();
    }
    return configs;
}

CreateTopicsResponse::Topic refused(std::string_view name, std::string_view message) {
    CreateTopicsResponse::Topic topic;
    topic.name = name;
    topic.error_code = ErrorCode::invalid_request;
    topic.error_message = message;
    return topic;
}

CreateTopicsResponse::Topic describe(const TopicCreated& created, const CreateTopicsRequest::Topic& asked, Shard& shard,
                                     Request& request) {
    CreateTopicsResponse::Topic topic;
    topic.name = asked.name;
    topic.error_code = ErrorCode(created.answer.error);
    if (!created.answer.message.empty()) topic.error_message = request.arena.copy(created.answer.message);
    if (topic.error_code != ErrorCode::none) return topic;
    topic.topic_id = created.id;
    topic.num_partitions = created.partitions;
    topic.replication_factor = created.replication_factor;
    if (request.version() >= 5) topic.configs = configs_of(asked, shard, request.arena);
    return topic;
}

}  // namespace

Task<Result<>> create_topics(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<CreateTopicsRequest>(request));
    auto& broker = shard.broker;
    std::map<std::string_view, size_t> times;
    for (auto& topic : message.topics) ++times[topic.name];

    std::vector<const CreateTopicsRequest::Topic*> asked;
    std::vector<NewTopic> topics;
    for (auto& topic : message.topics) {
        if (times[topic.name] > 1 || topic.name == rafka::metadata::cluster_metadata_topic) continue;
        asked.push_back(&topic);
        topics.push_back(new_topic(topic));
    }
    std::vector<TopicCreated> created;
    if (!topics.empty()) {
        created = co_await call_on(broker.home(), broker.controller().create_topics(std::move(topics), message.validate_only));
    }

    wire::ArrayBuilder<CreateTopicsResponse::Topic> answers(request.arena);
    for (size_t i = 0; i < created.size(); ++i) answers.push(describe(created[i], *asked[i], shard, request));
    for (auto& [name, count] : times) {
        if (count > 1) answers.push(refused(name, "Duplicate topic name."));
        else if (name == rafka::metadata::cluster_metadata_topic) {
            answers.push(refused(name, "Creation of internal topic __cluster_metadata is prohibited."));
        }
    }
    CreateTopicsResponse response;
    response.topics = answers.take();
    answer(request, response);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
