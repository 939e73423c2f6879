#include "semantics/mask.hpp"

#include "metadata/config_table.hpp"
#include "semantics/records.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace rafka::semantics {

using namespace rafka::protocol;
using Text = std::optional<std::string_view>;

Uuid Mask::id(const Uuid& id) {
    if (id.is_zero()) return id;
    auto number = ids_.try_emplace(id, ids_.size() + 1).first->second;
    Uuid masked;
    masked.bytes[15] = std::byte(number & 0xff);
    masked.bytes[14] = std::byte(number >> 8);
    return masked;
}

int64_t Mask::producer(int64_t id) { return id < 0 ? id : producers_.try_emplace(id, int64_t(producers_.size()) + 1).first->second; }

int32_t Mask::session(int32_t id) { return id == 0 ? 0 : sessions_.try_emplace(id, int32_t(sessions_.size()) + 1).first->second; }

namespace {

struct Context {
    Mask& mask;
    wire::Arena& arena;
    int16_t version;
    std::string after;  // Lines below the message.
};

// A copy to write on.
template <class T>
std::span<T> own(Context& context, Array<T>& array) {
    auto copy = context.arena.make<T>(array.size());
    std::copy(array.begin(), array.end(), copy.begin());
    array = copy;
    return copy;
}

void hide(Text& sentence) { sentence.reset(); }

template <class T, class Less>
void sort(std::span<T> elements, Less less) {
    std::stable_sort(elements.begin(), elements.end(), less);
}

void hide(Context& context, Array<NodeEndpoint>& nodes) {
    for (auto& node : own(context, nodes)) node.port = 9092;
}

void apply(Context& context, AlterConfigsResponse& answer) {
    for (auto& resource : own(context, answer.responses)) hide(resource.error_message);
}

void apply(Context& context, IncrementalAlterConfigsResponse& answer) {
    for (auto& resource : own(context, answer.responses)) hide(resource.error_message);
}

void apply(Context& context, ApiVersionsResponse& answer) {
    auto keys = own(context, answer.api_keys);
    size_t count = 0;
    for (auto& key : keys) {
        if (!find_api(key.api_key)) continue;
        if (key.api_key == int16_t(ApiKey::fetch)) key.max_version = 0;
        keys[count++] = key;
    }
    answer.api_keys = keys.first(count);
    answer.supported_features = {};
    answer.finalized_features = {};
    answer.finalized_features_epoch = 0;
}

// Kafka's controller writes this one as a default of all brokers as soon as it keeps eligible leader replicas.
void hide_stored_default(std::string_view name, const Text& value, int8_t& source) {
    if (name == "min.insync.replicas" && source == 3 && value == "1") source = 5;
}

void apply(Context& context, CreatePartitionsResponse& answer) {
    auto results = own(context, answer.results);
    for (auto& result : results) hide(result.error_message);
    sort(results, [](auto& a, auto& b) { return a.name < b.name; });
}

void apply(Context& context, CreateTopicsResponse& answer) {
    auto topics = own(context, answer.topics);
    for (auto& topic : topics) {
        hide(topic.error_message);
        topic.topic_id = context.mask.id(topic.topic_id);
        if (!topic.configs) continue;
        auto configs = own(context, *topic.configs);
        sort(configs, [](auto& a, auto& b) { return a.name < b.name; });
        for (auto& config : configs) {
            hide_stored_default(config.name, config.value, config.config_source);
            (((context.after += "\n  ") += config.name) += '=') += config.value ? std::string(*config.value) : "null";
            context.after += " read_only=" + std::to_string(config.read_only) + " source=" + std::to_string(config.config_source) +
                             " sensitive=" + std::to_string(config.is_sensitive);
        }
        topic.configs = Array<CreateTopicsResponse::Config>{};
    }
    sort(topics, [](auto& a, auto& b) { return a.name < b.name; });
}

void apply(Context& context, DeleteTopicsResponse& answer) {
    auto responses = own(context, answer.responses);
    sort(responses, [](auto& a, auto& b) { return a.name < b.name; });
    for (auto& topic : responses) {
        topic.topic_id = context.mask.id(topic.topic_id);
        hide(topic.error_message);
    }
}

void apply(Context& context, DescribeClusterResponse& answer) {
    answer.cluster_id = answer.cluster_id.empty() ? "" : "cluster";
    hide(answer.error_message);
    for (auto& broker : own(context, answer.brokers)) broker.port = 9092;
}

// Those that name ports, paths or the machine, or that the recorded broker needed in order to run alone.
const std::set<std::string_view> own_to_a_broker{
    "advertised.listeners", "broker.id", "controller.listener.names", "controller.quorum.bootstrap.servers", "listeners",
    "controller.quorum.voters", "inter.broker.listener.name", "listener.security.protocol.map", "log.dir", "log.dirs", "node.id", "process.roles",
    "offsets.topic.replication.factor", "transaction.state.log.min.isr", "transaction.state.log.replication.factor",
    "share.coordinator.state.topic.min.isr", "share.coordinator.state.topic.replication.factor"};

// Those that Kafka can change while it runs, and rafka cannot.
const std::set<std::string_view> fixed_at_start{"max.connections", "producer.id.expiration.ms"};

void apply(Context& context, DescribeConfigsResponse& answer) {
    for (auto& result : own(context, answer.results)) {
        hide(result.error_message);
        auto configs = own(context, result.configs);
        sort(configs, [](auto& a, auto& b) { return a.name < b.name; });
        context.after += "\n  " + std::to_string(result.resource_type) + ' ' + std::string(result.resource_name);
        for (auto& config : configs) {
            bool broker = result.resource_type == 4;
            if (broker && !metadata::find_config(metadata::ConfigScope::broker, config.name)) continue;
            // As said at hide_stored_default().
            if (broker && result.resource_name.empty() && config.name == "min.insync.replicas") continue;
            if (broker && (own_to_a_broker.contains(config.name) || config.name.starts_with("rafka."))) continue;
            hide_stored_default(config.name, config.value, config.config_source);
            if (fixed_at_start.contains(config.name)) config.read_only = true;
            (((context.after += "\n  ") += config.name) += '=') += config.value ? std::string(*config.value) : "null";
            context.after += " read_only=" + std::to_string(config.read_only) + " source=" + std::to_string(config.config_source) +
                             " sensitive=" + std::to_string(config.is_sensitive);
            if (context.version >= 3) context.after += " type=" + std::to_string(config.config_type);
            if (config.documentation) context.after += " documented";
            for (auto& synonym : config.synonyms) {
                if (synonym.name == "min.insync.replicas" && synonym.source == 3) continue;
                (((context.after += " <") += synonym.name) += '=') += synonym.value ? std::string(*synonym.value) : "null";
                context.after += " " + std::to_string(synonym.source) + '>';
            }
        }
        result.configs = {};
    }
}

void apply(Context& context, DescribeTopicPartitionsResponse& answer) {
    for (auto& topic : own(context, answer.topics)) topic.topic_id = context.mask.id(topic.topic_id);
}

void apply(Context& context, FetchResponse& answer) {
    answer.session_id = context.mask.session(answer.session_id);
    for (auto& topic : own(context, answer.responses)) {
        topic.topic_id = context.mask.id(topic.topic_id);
        for (auto& partition : own(context, topic.partitions)) {
            for (auto& aborted : partition.aborted_transactions ? own(context, *partition.aborted_transactions) : std::span<FetchResponse::AbortedTransaction>()) {
                aborted.producer_id = context.mask.producer(aborted.producer_id);
            }
            if (!partition.records) continue;
            for (auto piece : partition.records->list) describe_batches(context.mask, piece, partition.partition_index, context.after);
            partition.records->list = {};
        }
    }
    hide(context, answer.node_endpoints);
}

void apply(Context& context, InitProducerIdResponse& answer) { answer.producer_id = context.mask.producer(answer.producer_id); }

void apply(Context& context, ListOffsetsResponse& answer) {
    for (auto& topic : own(context, answer.topics)) sort(own(context, topic.partitions), [](auto& a, auto& b) { return a.partition_index < b.partition_index; });
}
void apply(Context&, OffsetForLeaderEpochResponse&) {}

void apply(Context& context, MetadataResponse& answer) {
    if (answer.cluster_id) answer.cluster_id = "cluster";
    for (auto& broker : own(context, answer.brokers)) broker.port = 9092;
    auto topics = own(context, answer.topics);
    size_t count = 0;
    for (auto& topic : topics) {
        if (topic.error_code == ErrorCode::none && topic.name && !topic.name->starts_with(context.mask.prefix)) continue;
        topic.topic_id = context.mask.id(topic.topic_id);
        auto partitions = own(context, topic.partitions);
        sort(partitions, [](auto& a, auto& b) { return a.partition_index < b.partition_index; });
        topics[count++] = topic;
    }
    topics = topics.first(count);
    sort(topics, [](auto& a, auto& b) { return a.name < b.name; });
    answer.topics = topics;
}

void apply(Context& context, ProduceResponse& answer) {
    auto topics = own(context, answer.responses);
    sort(topics, [](auto& a, auto& b) { return a.name < b.name; });
    for (auto& topic : topics) {
        topic.topic_id = context.mask.id(topic.topic_id);
        auto partitions = own(context, topic.partition_responses);
        sort(partitions, [](auto& a, auto& b) { return a.index < b.index; });
        for (auto& partition : partitions) {
            if (partition.log_append_time_ms.ms >= 0) partition.log_append_time_ms.ms = 1;
            for (auto& error : own(context, partition.record_errors)) hide(error.batch_index_error_message);
            hide(partition.error_message);
        }
    }
    sort(topics, [](auto& a, auto& b) { return a.topic_id < b.topic_id; });
    hide(context, answer.node_endpoints);
}

}  // namespace

template <class Answer>
std::string describe_masked(Mask& mask, wire::Arena& arena, Answer answer, int16_t version) {
    Context context{mask, arena, version, {}};
    answer.throttle_time_ms = 0;
    apply(context, answer);
    return wire::describe(answer, version) + context.after;
}

template std::string describe_masked(Mask&, wire::Arena&, AlterConfigsResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, ApiVersionsResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, CreatePartitionsResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, CreateTopicsResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, DeleteTopicsResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, DescribeClusterResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, DescribeConfigsResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, DescribeTopicPartitionsResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, FetchResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, IncrementalAlterConfigsResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, InitProducerIdResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, ListOffsetsResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, MetadataResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, OffsetForLeaderEpochResponse, int16_t);
template std::string describe_masked(Mask&, wire::Arena&, ProduceResponse, int16_t);

}  // namespace rafka::semantics
