#pragma once

// What becomes of requests about topics: pure decisions, from an image and a question to answers and the records that
// would make them true. Kafka's rules and error codes (ReplicationControlManager, ControllerApis).

#include "metadata/controller.hpp"
#include "metadata/record_list.hpp"

#include <functional>
#include <string_view>

namespace rafka::metadata {

inline constexpr size_t partitions_per_request_max = 10'000;
inline constexpr size_t records_per_request_max = 10'000;

// The sentence Kafka refuses a topic name with; nullopt: the name is fine.
std::optional<std::string> check_topic_name(std::string_view name);

std::vector<TopicCreated> plan_creation(const Image& image, const ControllerOptions& options, const std::vector<NewTopic>& topics,
                                        const std::function<Uuid()>& new_id, RecordList& records);

std::vector<Answer> plan_deletion(const Image& image, const ControllerOptions& options, const std::vector<TopicDeletion>& topics,
                                  RecordList& records);

std::vector<Answer> plan_more_partitions(const Image& image, const ControllerOptions& options,
                                         const std::vector<MorePartitions>& topics, RecordList& records);

// Partitions of this node that nobody leads, as Kafka leaves them behind at a clean stop: this node leads them again.
void plan_leadership(const Image& image, const ControllerOptions& options, RecordList& records);

}  // namespace rafka::metadata
