#include "broker/broker.hpp"
#include "broker/handlers/handlers.hpp"
#include "broker/handlers/resources.hpp"
#include "protocol/messages/incremental_alter_configs.hpp"

namespace rafka::broker::handlers {

using protocol::ErrorCode;
using protocol::IncrementalAlterConfigsRequest;
using protocol::IncrementalAlterConfigsResponse;

Task<Result<>> incremental_alter_configs(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<IncrementalAlterConfigsRequest>(request));
    auto& broker = shard.broker;
    std::vector<AlteredResource> resources;
    for (auto& asked : message.resources) {
        auto& resource = resources.emplace_back();
        resource.type = asked.resource_type;
        resource.changes.type = rafka::metadata::ResourceType(asked.resource_type);
        resource.changes.name = asked.resource_name;
        for (auto& config : asked.configs) {
            auto& change = resource.changes.changes.emplace_back();
            change.name = config.name;
            change.operation = rafka::metadata::ConfigOperation(config.config_operation);
            if (config.value) change.value.emplace(*config.value);
        }
    }
    check_resources(resources, broker.config().node_id);
    co_await alter_resources(broker.controller(), broker.home(), resources, message.validate_only);

    auto answers = request.arena.make<IncrementalAlterConfigsResponse::Resource>(resources.size());
    for (size_t i = 0; i < answers.size(); ++i) {
        answers[i].error_code = ErrorCode(resources[i].answer.error);
        if (!resources[i].answer.message.empty()) answers[i].error_message = request.arena.copy(resources[i].answer.message);
        answers[i].resource_type = resources[i].type;
        answers[i].resource_name = message.resources[i].resource_name;
    }
    IncrementalAlterConfigsResponse response;
    response.responses = answers;
    answer(request, response);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
