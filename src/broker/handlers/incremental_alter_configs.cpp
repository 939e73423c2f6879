#include "broker/handlers/handlers.hpp"
#include "broker/handlers/resources.hpp"
#include "protocol/messages/incremental_alter_configs.hpp"

namespace rafka::broker::handlers {

using protocol::IncrementalAlterConfigsRequest;
using protocol::IncrementalAlterConfigsResponse;
using rafka::metadata::ConfigOperation;

Task<Result<>> incremental_alter_configs(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<IncrementalAlterConfigsRequest>(request));
    auto resources = resources_of(message, [](auto& config) { return ConfigOperation(config.config_operation); });
    co_await alter_resources(shard, resources, message.validate_only);
    answer_resources<IncrementalAlterConfigsResponse>(request, resources);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
