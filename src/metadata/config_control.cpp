#include "metadata/config_control.hpp"

#include "base/log.hpp"
#include "metadata/topics_control.hpp"
#include "protocol/errors.hpp"
#include "protocol/records/topics.hpp"

#include <charconv>
#include <set>

namespace rafka::metadata {

using namespace protocol;

namespace {

constexpr size_t value_size_max = 32'767;
constexpr std::string_view min_isr = "min.insync.replicas";

Answer answer(ErrorCode error, std::string message) { return {int16_t(error), std::move(message)}; }

const ConfigMap& values_of(const Image& image, ResourceType type, std::string_view name) {
    static const ConfigMap none;
    auto config = image.config(type, name);
    return config ? config->values : none;
}

BrokerConfigs broker_layers(const Image& image, const ControllerOptions& options) {
    return {values_of(image, ResourceType::broker, std::to_string(options.node_id)), values_of(image, ResourceType::broker, ""),
            options.static_configs};
}

void add(ResourceType type, std::string_view resource, std::string_view name, std::optional<std::string_view> value, RecordList& records) {
    ConfigRecord record;
    record.resource_type = int8_t(type);
    record.resource_name = resource;
    record.name = name;
    record.value = value;
    records.add(record);
}

// Kafka's split(","): empty parts in the middle count, those at the end do not.
std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts;
    for (size_t at = 0; at <= text.size();) {
        auto comma = std::min(text.find(',', at), text.size());
        parts.emplace_back(text.substr(at, comma - at));
        at = comma + 1;
    }
    while (parts.size() > 1 && parts.back().empty()) parts.pop_back();
    return parts;
}

// The new value of one key. An error in `problem` refuses the resource.
std::optional<std::string> changed_value(ResourceType type, const ConfigChange& change, const ConfigMap& current, Answer& problem) {
    switch (change.operation) {
        case ConfigOperation::set: return change.value;
        case ConfigOperation::remove: return std::nullopt;
        case ConfigOperation::append:
        case ConfigOperation::subtract: break;
        default:
            problem = answer(ErrorCode::invalid_request, fmt::format("Unknown operations type {}", int(change.operation)));
            return std::nullopt;
    }
    bool append = change.operation == ConfigOperation::append;
    auto key = find_config(type == ResourceType::topic ? ConfigScope::topic : ConfigScope::broker, change.name);
    if (!key || key->type != ConfigType::list) {
        problem = answer(ErrorCode::invalid_config, fmt::format("Can't {} to key {} because its type is not LIST.",
                                                                append ? "APPEND" : "SUBTRACT", change.name));
        return std::nullopt;
    }
    auto set = current.find(change.name);
    auto parts = split(set != current.end() ? std::string_view(set->second) : key->default_value.value_or(""));
    std::erase(parts, "");
    for (auto& part : split(*change.value)) {
        auto place = std::find(parts.begin(), parts.end(), part);
        if (append && place == parts.end()) parts.push_back(part);
        if (!append && place != parts.end()) parts.erase(place);
    }
    return fmt::format("{}", fmt::join(parts, ","));
}

// What can be said of a resource without looking at its keys.
Answer check_resource(const ControllerOptions& options, const ConfigChanges& resource) {
    constexpr auto invalid = ErrorCode::invalid_request;
    switch (resource.type) {
        case ResourceType::topic: return {};
        case ResourceType::broker: {
            if (resource.name.empty()) return {};
            int32_t id = -1;
            auto [end, error] = std::from_chars(resource.name.data(), resource.name.data() + resource.name.size(), id);
            if (error != std::errc() || end != resource.name.data() + resource.name.size()) {
                return answer(invalid, fmt::format("Node id must be an integer, but it is: {}", resource.name));
            }
            if (id != options.node_id) {
                return answer(invalid, fmt::format("Unexpected broker id, expected {}, but received {}", options.node_id, resource.name));
            }
            return {};
        }
        case ResourceType::broker_logger:
        case ResourceType::client_metrics:
        case ResourceType::group: break;
    }
    return answer(invalid, fmt::format("Unknown resource type {}", int(resource.type)));
}

Answer check_keys(const ConfigChanges& resource) {
    std::set<std::string_view> names;
    std::string nulls;
    for (auto& change : resource.changes) {
        if (!names.insert(change.name).second) return answer(ErrorCode::invalid_request, "Error due to duplicate config keys");
        bool may_be_null = !resource.replace_all && change.operation == ConfigOperation::remove;
        if (!change.value && !may_be_null) nulls += (nulls.empty() ? "" : ", ") + change.name;
    }
    if (!nulls.empty()) return answer(ErrorCode::invalid_request, fmt::format("Null value not supported for : {}", nulls));
    return {};
}

// While Kafka's eligible leader replicas are on, their rules rest on one value for all brokers.
Answer check_min_isr(const Image& image, const ConfigChanges& resource, std::string_view name, bool removed) {
    if (name != min_isr || resource.type != ResourceType::broker || image.features.level("eligible.leader.replicas.version") == 0) return {};
    if (!resource.name.empty()) {
        return answer(ErrorCode::invalid_config, "Broker-level min.insync.replicas cannot be altered while ELR is enabled.");
    }
    if (removed) return answer(ErrorCode::invalid_config, "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.");
    return {};
}

Answer check_values(const Image& image, const ControllerOptions& options, const ConfigChanges& resource, const ConfigMap& all,
                    const ConfigMap& changed) {
    if (resource.type == ResourceType::broker) {
        if (auto problem = check_broker_configs(changed)) return answer(ErrorCode::invalid_request, *problem);
        return {};
    }
    if (resource.name.empty()) return answer(ErrorCode::invalid_request, "Default topic resources are not allowed.");
    if (auto problem = check_topic_name(resource.name)) return answer(ErrorCode::invalid_topic_exception, *problem);
    if (auto problem = check_topic_configs(all, broker_layers(image, options))) return answer(ErrorCode::invalid_config, *problem);
    if (!image.topic(resource.name)) {
        return answer(ErrorCode::unknown_topic_or_partition, fmt::format("The topic '{}' does not exist.", resource.name));
    }
    return {};
}

Answer change_one(const Image& image, const ControllerOptions& options, const ConfigChanges& resource, RecordList& records) {
    if (auto refused = check_keys(resource); refused.error != 0) return refused;
    if (auto refused = check_resource(options, resource); refused.error != 0) return refused;

    auto& current = values_of(image, resource.type, resource.name);
    auto all = current;
    ConfigMap set_now;
    std::set<std::string_view> named;
    for (auto& change : resource.changes) {
        Answer problem;
        auto value = resource.replace_all ? change.value : changed_value(resource.type, change, current, problem);
        if (problem.error != 0) return problem;
        named.insert(change.name);
        auto before = current.find(change.name);
        bool same = before == current.end() ? !value : value && *value == before->second;
        // A broker's value is written again even if it is the same: that makes brokers read files behind it anew.
        if (same && resource.type != ResourceType::broker) continue;
        if (auto refused = check_min_isr(image, resource, change.name, !value); refused.error != 0) return refused;
        if (!value) {
            all.erase(change.name);
        } else if (value->size() > value_size_max) {
            return answer(ErrorCode::invalid_config, fmt::format("The configuration value cannot be added because it exceeds the maximum value "
                                                                 "size of {} bytes.", value_size_max));
        } else {
            all.insert_or_assign(change.name, *value);
            set_now.insert_or_assign(change.name, *value);
        }
        add(resource.type, resource.name, change.name, value, records);
    }
    if (resource.replace_all) {
        for (auto& [name, value] : current) {
            if (named.contains(name)) continue;
            if (auto refused = check_min_isr(image, resource, name, true); refused.error != 0) return refused;
            all.erase(name);
            add(resource.type, resource.name, name, std::nullopt, records);
        }
    }
    return check_values(image, options, resource, all, set_now);
}

}  // namespace

std::vector<Answer> plan_configs(const Image& image, const ControllerOptions& options, const std::vector<ConfigChanges>& resources,
                                 RecordList& records) {
    std::map<std::pair<ResourceType, std::string_view>, int> asked;
    for (auto& resource : resources) ++asked[{resource.type, resource.name}];
    std::vector<Answer> answers;
    for (auto& resource : resources) {
        if (asked[{resource.type, resource.name}] > 1) {
            answers.push_back(answer(ErrorCode::invalid_request, "Each resource must appear at most once."));
            continue;
        }
        RecordList own;
        answers.push_back(change_one(image, options, resource, own));
        if (answers.back().error == 0 && records.size() + own.size() > records_per_request_max) {
            answers.back() = answer(ErrorCode::policy_violation, "Unable to perform excessively large batch operation.");
        }
        if (answers.back().error == 0) records.add_all(own);
    }
    return answers;
}

Answer plan_new_topic_configs(const Image& image, const ControllerOptions& options, const NewTopic& topic, RecordList& records) {
    std::string nulls;
    ConfigMap values;
    for (auto& [name, value] : topic.configs) {
        if (!value) nulls += (nulls.empty() ? "" : ",") + name;
        else values.insert_or_assign(name, *value);  // Of a key that stands twice the last value counts, as with Kafka.
    }
    if (!nulls.empty()) return answer(ErrorCode::invalid_config, fmt::format("Null value not supported for topic configs: {}", nulls));
    for (auto& [name, value] : values) {
        if (value.size() > value_size_max) {
            return answer(ErrorCode::invalid_config, fmt::format("The configuration value cannot be added because it exceeds the maximum value "
                                                                 "size of {} bytes.", value_size_max));
        }
    }
    if (auto problem = check_topic_configs(values, broker_layers(image, options))) return answer(ErrorCode::invalid_config, *problem);
    for (auto& [name, value] : values) add(ResourceType::topic, topic.name, name, value, records);
    return {};
}

}  // namespace rafka::metadata
