#pragma once

// What becomes of requests about configs: pure decisions with Kafka's rules and error codes (ConfigAdminManager,
// ConfigurationControlManager, ControllerConfigurationValidator).

#include "metadata/controller.hpp"
#include "metadata/record_list.hpp"

#include <utility>

namespace rafka::metadata {

std::vector<Answer> plan_configs(const Image& image, const ControllerOptions& options, const std::vector<ConfigChanges>& resources,
                                 RecordList& records);

// The configs a topic is created with. An error leaves `records` alone.
Answer plan_new_topic_configs(const Image& image, const ControllerOptions& options, const NewTopic& topic, RecordList& records);

}  // namespace rafka::metadata
