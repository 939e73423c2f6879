#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct ConsumerGroupHeartbeatRequest {
    static constexpr auto schema = schema_of(ApiKey::consumer_group_heartbeat);

    struct TopicPartitions {
        Uuid topic_id;
        Array<int32_t> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic_id);
            f(self.partitions);
        }
    };

    // Null, or -1, is "as I said before".
    std::string_view group_id;
    std::string_view member_id;
    int32_t member_epoch = 0;  // 0 joins, -1 leaves, -2 leaves for a static member that will be back.
    std::optional<std::string_view> instance_id;
    std::optional<std::string_view> rack_id;
    int32_t rebalance_timeout_ms = -1;
    std::optional<Array<std::string_view>> subscribed_topic_names;
    std::optional<std::string_view> subscribed_topic_regex;
    std::optional<std::string_view> server_assignor;
    std::optional<Array<TopicPartitions>> topic_partitions;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.member_id);
        f(self.member_epoch);
        f(self.instance_id);
        f(self.rack_id);
        f(self.rebalance_timeout_ms);
        f(self.subscribed_topic_names);
        f(self.subscribed_topic_regex, since(1));
        f(self.server_assignor);
        f(self.topic_partitions);
    }
};

struct ConsumerGroupHeartbeatResponse {
    static constexpr auto schema = schema_of(ApiKey::consumer_group_heartbeat);

    struct TopicPartitions {
        Uuid topic_id;
        Array<int32_t> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic_id);
            f(self.partitions);
        }
    };

    struct Assignment {
        Array<TopicPartitions> topic_partitions;

        static void fields(auto& self, auto& f) { f(self.topic_partitions); }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    std::optional<std::string_view> member_id;
    int32_t member_epoch = 0;
    int32_t heartbeat_interval_ms = 0;
    std::optional<Assignment> assignment;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.error_code);
        f(self.error_message);
        f(self.member_id);
        f(self.member_epoch);
        f(self.heartbeat_interval_ms);
        f(self.assignment);
    }
};

}  // namespace rafka::protocol
