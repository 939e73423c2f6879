#include "broker/handlers/resources.hpp"

#include "broker/broker.hpp"
#include "protocol/errors.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace rafka::broker::handlers {

using protocol::ErrorCode;
using rafka::metadata::ConfigOperation;
using rafka::metadata::ResourceType;

std::optional<std::string> check_broker_name(std::string_view name, int32_t node_id, std::string_view kind, std::string_view alternative) {
    int32_t id = 0;
    auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (failure != std::errc() || end != name.data() + name.size()) {
        return std::string(kind) + " id must be an integer, but it is: " + std::string(name);
    }
    if (id == node_id) return std::nullopt;
    return "Unexpected broker id, expected " + std::to_string(node_id) + std::string(alternative) + ", but received " + std::string(name);
}

namespace {

void refuse(AlteredResource& resource, std::string message) {
    resource.refused = true;
    resource.answer = {int16_t(ErrorCode::invalid_request), std::move(message)};
}

void check(AlteredResource& resource, int32_t node_id) {
    auto& changes = resource.changes;
    std::set<std::string_view> names;
    std::string nulls;
    for (auto& change : changes.changes) {
        if (!names.insert(change.name).second) return refuse(resource, "Error due to duplicate config keys");
        auto operation = int8_t(change.operation);
        if (operation < 0 || operation > int8_t(ConfigOperation::subtract)) {
            return refuse(resource, "Unknown operations type " + std::to_string(operation));
        }
        if (change.value || change.operation == ConfigOperation::remove) continue;
        nulls += nulls.empty() ? "" : ", ";
        nulls += change.name;
    }
    if (!nulls.empty()) return refuse(resource, "Null value not supported for : " + nulls);
    switch (changes.type) {
        case ResourceType::broker:
            if (changes.name.empty()) return;
            if (auto wrong = check_broker_name(changes.name, node_id, "Node")) refuse(resource, *wrong);
            return;
        case ResourceType::topic: return;
        default: return refuse(resource, "Unknown resource type " + std::to_string(resource.type));
    }
}

void check_all(std::span<AlteredResource> resources, int32_t node_id) {
    std::map<std::pair<int8_t, std::string_view>, size_t> times;
    for (auto& resource : resources) ++times[{resource.type, resource.changes.name}];
    for (auto& resource : resources) {
        if (times[{resource.type, resource.changes.name}] > 1) refuse(resource, "Each resource must appear at most once.");
        else check(resource, node_id);
    }
}

}  // namespace

Task<> alter_resources(Shard& shard, std::span<AlteredResource> resources, bool validate_only) {
    auto& broker = shard.broker;
    check_all(resources, broker.config().node_id);
    std::vector<rafka::metadata::ConfigChanges> changes;
    for (auto& resource : resources) {
        if (!resource.refused) changes.push_back(resource.changes);
    }
    if (changes.empty()) co_return;
    auto answers = co_await call_on(broker.home(), broker.controller().alter_configs(std::move(changes), validate_only));
    size_t next = 0;
    for (auto& resource : resources) {
        if (!resource.refused && next < answers.size()) resource.answer = answers[next++];
    }
}

}  // namespace rafka::broker::handlers
