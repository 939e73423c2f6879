#pragma once

// What both kinds of AlterConfigs share: reading what is asked, checking it before the controller sees it, answering.

#include "broker/request.hpp"
#include "metadata/controller_client.hpp"
#include "protocol/errors.hpp"

#include <rafka/loop.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::broker {
struct Shard;
}

namespace rafka::broker::handlers {

// A sentence if `name` is not the id of this broker; `kind` and `alternative` are words of it.
std::optional<std::string> check_broker_name(std::string_view name, int32_t node_id, std::string_view kind,
                                             std::string_view alternative = "");

// One resource of a request, with the answer to it.
struct AlteredResource {
    rafka::metadata::ConfigChanges changes;
    int8_t type = 0;           // As it was sent, known or not.
    rafka::metadata::Answer answer;
    bool refused = false;
};

// What a request asks, with the operation that `operation_of` a config of it tells.
std::vector<AlteredResource> resources_of(const auto& message, auto operation_of) {
    std::vector<AlteredResource> resources;
    for (auto& asked : message.resources) {
        auto& resource = resources.emplace_back();
        resource.type = asked.resource_type;
        resource.changes.type = rafka::metadata::ResourceType(asked.resource_type);
        resource.changes.name = asked.resource_name;
        for (auto& config : asked.configs) {
            auto& change = resource.changes.changes.emplace_back();
            change.name = config.name;
            change.operation = operation_of(config);
            if (config.value) change.value.emplace(*config.value);
        }
    }
    return resources;
}

// Refuses resources that stand twice in the request, name a key twice, set a value to null, or are none of ours; asks
// the controller about the others.
Task<> alter_resources(Shard& shard, std::span<AlteredResource> resources, bool validate_only);

template <class Response>
void answer_resources(Request& request, std::span<const AlteredResource> resources) {
    auto answers = request.arena.make<typename Response::Resource>(resources.size());
    for (size_t i = 0; i < answers.size(); ++i) {
        answers[i].error_code = protocol::ErrorCode(resources[i].answer.error);
        if (!resources[i].answer.message.empty()) answers[i].error_message = resources[i].answer.message;
        answers[i].resource_type = resources[i].type;
        answers[i].resource_name = resources[i].changes.name;
    }
    Response response;
    response.responses = answers;
    answer(request, response);
}

}  // namespace rafka::broker::handlers
