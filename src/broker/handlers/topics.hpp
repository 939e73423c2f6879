#pragma once

// What several handlers know about topics and nodes.

#include "metadata/image.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rafka::broker::handlers {

// Topics that belong to Kafka's own coordinators; clients do not write to them.
constexpr bool is_internal_topic(std::string_view name) {
    return name == "__consumer_offsets" || name == "__transaction_state" || name == "__share_group_state";
}

// 1 to 249 of [a-zA-Z0-9._-], and neither "." nor "..".
constexpr bool is_topic_name(std::string_view name) {
    if (name.empty() || name.size() > 249 || name == "." || name == "..") return false;
    for (char c : name) {
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!fine) return false;
    }
    return true;
}

// Without an authorizer everybody may do everything that a resource knows: bits by the ids of AclOperation.
inline constexpr int32_t topic_operations = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 11;
inline constexpr int32_t cluster_operations = 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12;

// Where a client that came through `listener` reaches the broker; null: nowhere, or it is fenced.
inline const metadata::Endpoint* reachable(const metadata::Image& image, int32_t broker_id, std::string_view listener) {
    auto* broker = image.broker(broker_id);
    return broker && !broker->fenced ? broker->endpoint(listener) : nullptr;
}

// Any broker takes what is meant for the controller. -1: there is none.
inline int32_t any_alive_broker(const metadata::Image& image) {
    for (auto& broker : image.brokers) {
        if (!broker.fenced) return broker.id;
    }
    return -1;
}

}  // namespace rafka::broker::handlers
