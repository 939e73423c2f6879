#include "metadata/topics_control.hpp"

#include "base/log.hpp"
#include "metadata/config_control.hpp"
#include "metadata/record_versions.hpp"
#include "protocol/errors.hpp"
#include "protocol/records/topics.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace rafka::metadata {

using namespace protocol;

namespace {

constexpr size_t topic_name_size_max = 249;

Answer answer(ErrorCode error, std::string message) { return {int16_t(error), std::move(message)}; }

bool can_collide(std::string_view name) { return name.find_first_of("._") != name.npos; }

// Names are the same to a metric in which '.' and '_' look alike.
bool collide(std::string_view a, std::string_view b) {
    auto alike = [](char x, char y) { return x == y || ((x == '.' || x == '_') && (y == '.' || y == '_')); };
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), alike);
}

// The first topic whose name collides with `name`; null: none.
const Topic* colliding(const Image& image, std::string_view name) {
    auto start = std::string(name.substr(0, name.find_first_of("._")));
    for (char separator : {'.', '_'}) {
        auto prefix = start + separator;
        for (auto at = image.topics.from(prefix); at != image.topics.end() && at->name.starts_with(prefix); ++at) {
            if (collide(at->name, name)) return &*at;
        }
    }
    return nullptr;
}

bool is_active(const Image& image, int32_t id) {
    auto broker = image.broker(id);
    return broker && !broker->fenced && !broker->in_controlled_shutdown;
}

bool has_uncordoned_directory(const Broker& broker) {
    if (!broker.cordoned_directories) return true;
    auto& cordoned = *broker.cordoned_directories;
    return std::any_of(broker.directories.begin(), broker.directories.end(),
                       [&](const Uuid& id) { return std::find(cordoned.begin(), cordoned.end(), id) == cordoned.end(); });
}

// Where one partition is to be, and who of them is alive.
struct Placement {
    std::vector<int32_t> replicas;
    std::vector<int32_t> isr;
};

// A placement a client gave. `factor` is what the other partitions of the topic have, 0 when this is the first.
Answer check_assignment(const Image& image, const std::vector<int32_t>& replicas, size_t factor) {
    constexpr auto invalid = ErrorCode::invalid_replica_assignment;
    if (replicas.empty()) return answer(invalid, "The manual partition assignment includes an empty replica list.");
    auto sorted = replicas;
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 0; i < sorted.size(); ++i) {
        auto broker = image.broker(sorted[i]);
        if (!broker) {
            return answer(invalid, fmt::format("The manual partition assignment includes broker {}, but no such broker is registered.", sorted[i]));
        }
        if (!has_uncordoned_directory(*broker)) {
            return answer(invalid, fmt::format("The manual partition assignment includes broker {}, but all its log directories are cordoned.", sorted[i]));
        }
        if (i > 0 && sorted[i] == sorted[i - 1]) {
            return answer(invalid, fmt::format("The manual partition assignment includes the broker {} more than once.", sorted[i]));
        }
    }
    if (factor != 0 && replicas.size() != factor) {
        return answer(invalid, fmt::format("The manual partition assignment includes a partition with {} replica(s), but this is not "
                                           "consistent with previous partitions, which have {} replica(s).", replicas.size(), factor));
    }
    return {};
}

Answer place_assigned(const Image& image, const std::vector<int32_t>& replicas, size_t factor, size_t partition, std::vector<Placement>& out) {
    if (auto refused = check_assignment(image, replicas, factor); refused.error != 0) return refused;
    Placement placement{replicas, {}};
    for (auto id : replicas) {
        if (is_active(image, id)) placement.isr.push_back(id);
    }
    if (placement.isr.empty()) {
        return answer(ErrorCode::invalid_replica_assignment,
                      fmt::format("All brokers specified in the manual partition assignment for partition {} are fenced or in controlled shutdown.", partition));
    }
    out.push_back(std::move(placement));
    return {};
}

// A node alone has one place for every replica.
Answer place(const Image& image, const ControllerOptions& options, int16_t factor, size_t count, std::vector<Placement>& out) {
    if (factor > 1) {
        return answer(ErrorCode::invalid_replication_factor,
                      fmt::format("Unable to replicate the partition {} time(s): The target replication factor of {} cannot be reached because "
                                  "only 1 broker(s) are registered or some brokers have all their log directories cordoned.", factor, factor));
    }
    if (!is_active(image, options.node_id)) {
        return answer(ErrorCode::invalid_replication_factor,
                      fmt::format("Unable to replicate the partition {} time(s): All brokers are currently fenced or in controlled shutdown.", factor));
    }
    out.assign(count, Placement{{options.node_id}, {options.node_id}});
    return {};
}

Uuid directory_of(const Image& image, const ControllerOptions& options, int32_t id) {
    if (id == options.node_id) return options.directory_id;
    auto broker = image.broker(id);
    Uuid unassigned;
    unassigned.bytes[15] = std::byte{1};
    return broker && broker->directories.size() == 1 ? broker->directories.front() : unassigned;
}

void add_partition(const Image& image, const ControllerOptions& options, const Uuid& topic, size_t index, const Placement& placement,
                   RecordList& records) {
    std::vector<Uuid> directories;
    for (auto id : placement.replicas) directories.push_back(directory_of(image, options, id));
    PartitionRecord record;
    record.partition_id = int32_t(index);
    record.topic_id = topic;
    record.replicas = placement.replicas;
    record.isr = placement.isr;
    record.leader = placement.isr.front();
    record.leader_epoch = 0;
    record.partition_epoch = 0;
    record.directories = directories;
    records.add(record, RecordVersions(image.features).partition);
}

Answer place_new_topic(const Image& image, const ControllerOptions& options, const NewTopic& topic, std::vector<Placement>& out) {
    if (!topic.assignments.empty()) {
        if (topic.replication_factor != -1) {
            return answer(ErrorCode::invalid_request, "A manual partition assignment was specified, but replication factor was not set to -1.");
        }
        if (topic.partitions != -1) {
            return answer(ErrorCode::invalid_request, "A manual partition assignment was specified, but numPartitions was not set to -1.");
        }
        std::map<int32_t, Placement> by_index;
        size_t factor = 0;
        for (auto& [index, replicas] : topic.assignments) {
            if (by_index.contains(index)) {
                return answer(ErrorCode::invalid_replica_assignment, fmt::format("Found multiple manual partition assignments for partition {}", index));
            }
            std::vector<Placement> one;
            if (auto refused = place_assigned(image, replicas, factor, size_t(index), one); refused.error != 0) return refused;
            factor = replicas.size();
            by_index.emplace(index, std::move(one.front()));
        }
        if (by_index.begin()->first != 0 || by_index.rbegin()->first != int32_t(by_index.size()) - 1) {
            return answer(ErrorCode::invalid_replica_assignment, "partitions should be a consecutive 0-based integer sequence");
        }
        for (auto& [index, placement] : by_index) out.push_back(std::move(placement));
        return {};
    }
    if (topic.replication_factor < -1 || topic.replication_factor == 0) {
        return answer(ErrorCode::invalid_replication_factor, "Replication factor must be larger than 0, or -1 to use the default value.");
    }
    if (topic.partitions < -1 || topic.partitions == 0) {
        return answer(ErrorCode::invalid_partitions, "Number of partitions was set to an invalid non-positive value.");
    }
    auto count = topic.partitions == -1 ? options.default_partitions : topic.partitions;
    auto factor = topic.replication_factor == -1 ? options.default_replication_factor : topic.replication_factor;
    return place(image, options, factor, size_t(count), out);
}

Answer check_new_name(const Image& image, const std::string& name) {
    if (image.topic(name)) return answer(ErrorCode::topic_already_exists, fmt::format("Topic '{}' already exists.", name));
    if (auto problem = check_topic_name(name)) return answer(ErrorCode::invalid_topic_exception, *problem);
    if (!can_collide(name)) return {};
    auto other = colliding(image, name);
    if (!other) return {};
    return answer(ErrorCode::invalid_topic_exception, fmt::format("Topic '{}' collides with existing topic: {}", name, other->name));
}

Answer create_one(const Image& image, const ControllerOptions& options, const NewTopic& topic, const Uuid& id, TopicCreated& created,
                  RecordList& records) {
    if (topic.name == cluster_metadata_topic) {
        return answer(ErrorCode::invalid_request, fmt::format("Creation of internal topic {} is prohibited.", cluster_metadata_topic));
    }
    if (auto refused = check_new_name(image, topic.name); refused.error != 0) return refused;
    RecordList configs;
    if (auto refused = plan_new_topic_configs(image, options, topic, configs); refused.error != 0) return refused;
    std::vector<Placement> placements;
    if (auto refused = place_new_topic(image, options, topic, placements); refused.error != 0) return refused;

    created.id = id;
    created.partitions = int32_t(placements.size());
    created.replication_factor = int16_t(placements.front().replicas.size());
    TopicRecord record;
    record.name = topic.name;
    record.topic_id = id;
    records.add(record);
    records.add_all(configs);
    for (size_t i = 0; i < placements.size(); ++i) add_partition(image, options, id, i, placements[i], records);
    return {};
}

size_t partition_count(const NewTopic& topic, const ControllerOptions& options) {
    if (!topic.assignments.empty()) return topic.assignments.size();
    auto count = topic.partitions == -1 ? options.default_partitions : topic.partitions;
    return count > 0 ? size_t(count) : 0;
}

template <class Name>
std::set<Name> twice(const auto& questions, Name (*name_of)(const typename std::decay_t<decltype(questions)>::value_type&)) {
    std::set<Name> seen, found;
    for (auto& question : questions) {
        if (!seen.insert(name_of(question)).second) found.insert(name_of(question));
    }
    return found;
}

Answer add_partitions_to(const Image& image, const ControllerOptions& options, const MorePartitions& question, RecordList& records) {
    auto topic = image.topic(question.name);
    if (!topic) return answer(ErrorCode::unknown_topic_or_partition, "This server does not host this topic-partition.");
    auto before = topic->partitions.size();
    if (question.count == int32_t(before)) {
        return answer(ErrorCode::invalid_partitions, fmt::format("Topic already has {} partition(s).", before));
    }
    if (question.count < int32_t(before)) {
        return answer(ErrorCode::invalid_partitions, fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.",
                                                                 question.name, before, question.count));
    }
    auto additional = size_t(question.count) - before;
    if (question.assignments && question.assignments->size() != additional) {
        return answer(ErrorCode::invalid_replica_assignment,
                      fmt::format("Attempted to add {} additional partition(s), but only {} assignment(s) were specified.", additional,
                                  question.assignments->size()));
    }
    auto factor = topic->partitions.empty() ? size_t(1) : topic->partitions.front().replicas.size();
    std::vector<Placement> placements;
    if (question.assignments) {
        for (auto& replicas : *question.assignments) {
            if (auto refused = place_assigned(image, replicas, factor, before + placements.size(), placements); refused.error != 0) return refused;
        }
    } else if (auto refused = place(image, options, int16_t(factor), additional, placements); refused.error != 0) {
        return refused;
    }
    for (size_t i = 0; i < placements.size(); ++i) add_partition(image, options, topic->id, before + i, placements[i], records);
    return {};
}

}  // namespace

std::optional<std::string> check_topic_name(std::string_view name) {
    auto invalid = [](std::string_view reason) { return fmt::format("Topic name is invalid: {}", reason); };
    if (name.empty()) return invalid("the empty string is not allowed");
    if (name == "." || name == "..") return invalid(fmt::format("'{}' is not allowed", name));
    if (name.size() > topic_name_size_max) {
        return invalid(fmt::format("the length of '{}' is longer than the max allowed length {}", name, topic_name_size_max));
    }
    auto legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    };
    if (!std::all_of(name.begin(), name.end(), legal)) {
        return invalid(fmt::format("'{}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'", name));
    }
    return std::nullopt;
}

std::vector<TopicCreated> plan_creation(const Image& image, const ControllerOptions& options, const std::vector<NewTopic>& topics,
                                        const std::function<Uuid()>& new_id, RecordList& records) {
    size_t partitions = 0;
    for (auto& topic : topics) partitions += partition_count(topic, options);
    std::set<std::string_view> duplicates;
    if (partitions <= partitions_per_request_max) {
        duplicates = twice<std::string_view>(topics, [](const NewTopic& topic) -> std::string_view { return topic.name; });
    }

    std::vector<TopicCreated> created;
    for (auto& topic : topics) {
        auto& result = created.emplace_back();
        result.name = topic.name;
        RecordList own;
        if (partitions > partitions_per_request_max) {
            result.answer = answer(ErrorCode::policy_violation, "Excessively large number of partitions per request.");
        } else if (duplicates.contains(topic.name)) {
            result.answer = answer(ErrorCode::invalid_request, "Duplicate topic name.");
        } else {
            result.answer = create_one(image, options, topic, new_id(), result, own);
        }
        if (result.answer.error == 0 && records.size() + own.size() > records_per_request_max) {
            result = TopicCreated();
            result.name = topic.name;
            result.answer = answer(ErrorCode::policy_violation, "Unable to perform excessively large batch operation.");
        } else {
            records.add_all(own);
        }
    }
    return created;
}

std::vector<Answer> plan_deletion(const Image& image, const ControllerOptions& options, const std::vector<TopicDeletion>& topics,
                                  RecordList& records) {
    const ConfigMap none;
    auto enabled = broker_config("delete.topic.enable", {none, none, options.static_configs});
    std::map<Uuid, int> asked;  // How often, whether by name or by id.
    std::map<std::string, int> names;
    std::map<Uuid, int> ids;
    for (auto& topic : topics) {
        if (topic.name) ++names[*topic.name];
        else ++ids[topic.id];
        auto found = topic.name ? image.topic(*topic.name) : image.topic(topic.id);
        if (found && (!topic.name || topic.id.is_zero())) ++asked[found->id];
    }
    std::vector<Answer> answers;
    for (auto& topic : topics) {
        auto decide = [&]() -> Answer {
            if (enabled && *enabled == "false") return answer(ErrorCode::topic_deletion_disabled, "Topic deletion is disabled.");
            if (!topic.name && topic.id.is_zero()) return answer(ErrorCode::invalid_request, "Neither topic name nor id were specified.");
            if (topic.name && !topic.id.is_zero()) return answer(ErrorCode::invalid_request, "You may not specify both topic name and topic id.");
            if (topic.name && names[*topic.name] > 1) return answer(ErrorCode::invalid_request, "Duplicate topic name.");
            if (!topic.name && ids[topic.id] > 1) return answer(ErrorCode::invalid_request, "Duplicate topic id.");
            auto found = topic.name ? image.topic(*topic.name) : image.topic(topic.id);
            if (!found && topic.name) return answer(ErrorCode::unknown_topic_or_partition, "This server does not host this topic-partition.");
            if (!found) return answer(ErrorCode::unknown_topic_id, "This server does not host this topic ID.");
            if (asked[found->id] > 1) return answer(ErrorCode::invalid_request, "The provided topic name maps to an ID that was already supplied.");
            if (records.size() >= records_per_request_max) return answer(ErrorCode::policy_violation, "Unable to perform excessively large batch operation.");
            RemoveTopicRecord record;
            record.topic_id = found->id;
            records.add(record);
            return {};
        };
        answers.push_back(decide());
    }
    return answers;
}

std::vector<Answer> plan_more_partitions(const Image& image, const ControllerOptions& options,
                                         const std::vector<MorePartitions>& topics, RecordList& records) {
    auto duplicates = twice<std::string>(topics, [](const MorePartitions& topic) { return topic.name; });
    std::vector<Answer> answers;
    for (auto& topic : topics) {
        auto found = image.topic(topic.name);
        RecordList own;
        if (duplicates.contains(topic.name)) {
            answers.push_back(answer(ErrorCode::invalid_request, "Duplicate topic name."));
        } else if (found && topic.count > int64_t(found->partitions.size() + records_per_request_max - records.size())) {
            answers.push_back(answer(ErrorCode::policy_violation, "Excessively large number of partitions per request."));
        } else {
            answers.push_back(add_partitions_to(image, options, topic, own));
        }
        if (answers.back().error == 0) records.add_all(own);
    }
    return answers;
}

void plan_leadership(const Image& image, const ControllerOptions& options, RecordList& records) {
    auto me = options.node_id;
    auto holds = [me](const std::vector<int32_t>& ids) { return std::find(ids.begin(), ids.end(), me) != ids.end(); };
    const int32_t isr[] = {me};
    for (auto& topic : image.topics) {
        for (size_t i = 0; i < topic.partitions.size(); ++i) {
            auto& state = topic.partitions[i];
            if (state.leader == me || !holds(state.replicas)) continue;
            bool in_sync = holds(state.isr) || holds(state.eligible_leader_replicas);
            if (!in_sync && !(state.isr.empty() && holds(state.last_known_elr)) && state.replicas.size() > 1) continue;
            PartitionChangeRecord record;
            record.partition_id = int32_t(i);
            record.topic_id = topic.id;
            record.leader = me;
            if (state.isr.size() != 1 || state.isr.front() != me) record.isr = isr;
            if (!state.eligible_leader_replicas.empty()) record.eligible_leader_replicas = wire::Array<int32_t>();
            if (!state.last_known_elr.empty()) record.last_known_elr = wire::Array<int32_t>();
            records.add(record, RecordVersions(image.features).partition_change);
        }
    }
}

}  // namespace rafka::metadata
