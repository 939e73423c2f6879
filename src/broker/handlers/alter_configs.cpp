#include "broker/handlers/handlers.hpp"
#include "broker/handlers/resources.hpp"
#include "protocol/messages/alter_configs.hpp"

namespace rafka::broker::handlers {

using protocol::AlterConfigsRequest;
using protocol::AlterConfigsResponse;
using rafka::metadata::ConfigOperation;

Task<Result<>> alter_configs(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<AlterConfigsRequest>(request));
    auto resources = resources_of(message, [](auto&) { return ConfigOperation::set; });
    for (auto& resource : resources) resource.changes.replace_all = true;
    co_await alter_resources(shard, resources, message.validate_only);
    answer_resources<AlterConfigsResponse>(request, resources);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
