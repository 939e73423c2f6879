#include "broker/broker.hpp"
#include "broker/handlers/handlers.hpp"
#include "broker/handlers/resources.hpp"
#include "broker/handlers/topics.hpp"
#include "protocol/messages/describe_configs.hpp"

#include <algorithm>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using protocol::ErrorCode;
using rafka::metadata::ConfigEntry;
using rafka::metadata::ResourceType;

DescribeConfigsResponse::Config describe(const ConfigEntry& entry, const DescribeConfigsRequest& message, wire::Arena& arena) {
    DescribeConfigsResponse::Config config;
    config.name = entry.key->name;
    if (entry.value) config.value = arena.copy(*entry.value);
    config.read_only = entry.read_only;
    config.config_source = int8_t(entry.source);
    config.is_sensitive = entry.key->sensitive();
    config.config_type = int8_t(entry.key->type);
    if (message.include_documentation) config.documentation = entry.key->documentation;
    if (message.include_synonyms) {
        auto synonyms = arena.make<DescribeConfigsResponse::Synonym>(entry.synonyms.size());
        for (size_t i = 0; i < synonyms.size(); ++i) {
            auto& synonym = entry.synonyms[i];
            synonyms[i].name = arena.copy(synonym.name);
            if (synonym.value) synonyms[i].value = arena.copy(*synonym.value);
            synonyms[i].source = int8_t(synonym.source);
        }
        config.synonyms = synonyms;
    }
    return config;
}

struct Found {
    ErrorCode error = ErrorCode::none;
    std::string message;
    std::vector<ConfigEntry> entries;
};

Found refuse(ErrorCode error, std::string message) { return {error, std::move(message), {}}; }

Found look_up(const DescribeConfigsRequest::Resource& resource, Shard& shard) {
    auto& image = *shard.image;
    auto& config = shard.broker.config();
    auto name = resource.resource_name;
    ConfigLayers layers(image, config.node_id, config.values);
    switch (ResourceType(resource.resource_type)) {
        case ResourceType::topic:
            if (!is_topic_name(name)) return refuse(ErrorCode::invalid_topic_exception, "Topic name is invalid: '" + std::string(name) + "'");
            if (!image.topic(name)) return refuse(ErrorCode::unknown_topic_or_partition, "");
            return {ErrorCode::none, "", rafka::metadata::describe_topic(ConfigLayers::set_for(image, ResourceType::topic, name), layers.broker())};
        case ResourceType::broker:
            if (name.empty()) return {ErrorCode::none, "", rafka::metadata::describe_broker_default(layers.broker())};
            if (auto wrong = check_broker_name(name, config.node_id, "Broker", " or empty string")) return refuse(ErrorCode::invalid_request, *wrong);
            return {ErrorCode::none, "", rafka::metadata::describe_broker(layers.broker())};
        case ResourceType::broker_logger:
            if (name.empty()) return refuse(ErrorCode::invalid_request, "Broker id must not be empty");
            if (auto wrong = check_broker_name(name, config.node_id, "Broker")) return refuse(ErrorCode::invalid_request, *wrong);
            return {};  // There are no loggers to set one by one.
        default: return refuse(ErrorCode::invalid_request, "Unsupported resource type: " + std::to_string(resource.resource_type));
    }
}

bool is_wanted(const DescribeConfigsRequest::Resource& resource, std::string_view name) {
    if (!resource.configuration_keys || resource.configuration_keys->empty()) return true;
    auto& keys = *resource.configuration_keys;
    return std::find(keys.begin(), keys.end(), name) != keys.end();
}

}  // namespace

Result<> describe_configs(Shard& shard, Request& request) {
    TRY(auto message, parse<DescribeConfigsRequest>(request));
    auto results = request.arena.make<DescribeConfigsResponse::Result>(message.resources.size());
    for (size_t i = 0; i < results.size(); ++i) {
        auto& resource = message.resources[i];
        auto& result = results[i];
        auto found = look_up(resource, shard);
        result.resource_type = resource.resource_type;
        result.resource_name = resource.resource_name;
        result.error_code = found.error;
        result.error_message = request.arena.copy(found.message);  // Empty, not null, where all is well.
        auto configs = request.arena.make<DescribeConfigsResponse::Config>(found.entries.size());
        size_t count = 0;
        for (auto& entry : found.entries) {
            if (is_wanted(resource, entry.key->name)) configs[count++] = describe(entry, message, request.arena);
        }
        result.configs = configs.first(count);
    }
    DescribeConfigsResponse response;
    response.results = results;
    answer(request, response);
    return {};
}

}  // namespace rafka::broker::handlers
