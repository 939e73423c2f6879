#pragma once

// What both kinds of AlterConfigs ask of a request before the controller sees it.

#include "metadata/controller_client.hpp"

#include <rafka/loop.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

// Refuses resources that stand twice in the request, name a key twice, set a value to null, or are none of ours.
void check_resources(std::span<AlteredResource> resources, int32_t node_id);

// Asks the controller about the resources that were not refused.
Task<> alter_resources(rafka::metadata::ControllerClient& controller, Loop& home, std::span<AlteredResource> resources, bool validate_only);

}  // namespace rafka::broker::handlers
