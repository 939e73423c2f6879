#pragma once

// What the broker may ask of a controller: the embedded one of a node alone, or later the active controller of a quorum.
// The broker never changes metadata itself: it asks here, and consumes the committed records through the image.
// Lives on the home loop; handlers of other loops come by call_on().

#include <rafka/task.hpp>
#include <rafka/types.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rafka::metadata {

// An answer as Kafka gives it: its error code (org.apache.kafka Errors) and the sentence beside it.
struct Answer {
    int16_t error = 0;
    std::string message;
};

struct NewTopic {
    std::string name;
    int32_t partitions = -1;          // -1: the broker's default.
    int16_t replication_factor = -1;
    std::vector<std::pair<int32_t, std::vector<int32_t>>> assignments;  // Partition index and its replicas.
    std::vector<std::pair<std::string, std::optional<std::string>>> configs;
};

struct TopicCreated {
    Answer answer;
    std::string name;
    Uuid id;
    int32_t partitions = -1;
    int16_t replication_factor = -1;
};

struct MorePartitions {
    std::string name;
    int32_t count = 0;
    std::optional<std::vector<std::vector<int32_t>>> assignments;
};

struct TopicDeletion {
    std::optional<std::string> name;  // By name, or by id.
    Uuid id;
};

enum class ResourceType : int8_t { topic = 2, broker = 4, broker_logger = 8, client_metrics = 16, group = 32 };
enum class ConfigOperation : int8_t { set = 0, remove = 1, append = 2, subtract = 3 };

struct ConfigChange {
    std::string name;
    ConfigOperation operation{};
    std::optional<std::string> value;
};

struct ConfigChanges {
    ResourceType type{};
    std::string name;
    std::vector<ConfigChange> changes;
    bool replace_all = false;  // AlterConfigs: what is not named goes back to its default.
};

struct ProducerIdBlock {
    int64_t first = -1;
    int32_t count = 0;
};

class ControllerClient {
public:
    virtual ~ControllerClient() = default;

    // Answers in the order of the questions, once the records are durable and the image with them is published.
    virtual Task<std::vector<TopicCreated>> create_topics(std::vector<NewTopic> topics, bool validate_only) = 0;
    virtual Task<std::vector<Answer>> delete_topics(std::vector<TopicDeletion> topics) = 0;
    virtual Task<std::vector<Answer>> create_partitions(std::vector<MorePartitions> topics, bool validate_only) = 0;
    virtual Task<std::vector<Answer>> alter_configs(std::vector<ConfigChanges> resources, bool validate_only) = 0;
    virtual Task<ProducerIdBlock> allocate_producer_ids() = 0;
};

}  // namespace rafka::metadata
