#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

// Where the next page begins.
struct DescribeTopicPartitionsCursor {
    std::string_view topic_name;
    int32_t partition_index = 0;

    static void fields(auto& self, auto& f) {
        f(self.topic_name);
        f(self.partition_index);
    }
};

struct DescribeTopicPartitionsRequest {
    static constexpr auto schema = schema_of(ApiKey::describe_topic_partitions);
    using Cursor = DescribeTopicPartitionsCursor;

    struct Topic {
        std::string_view name;

        static void fields(auto& self, auto& f) { f(self.name); }
    };

    Array<Topic> topics;
    int32_t response_partition_limit = 2000;
    std::optional<Cursor> cursor;

    static void fields(auto& self, auto& f) {
        f(self.topics);
        f(self.response_partition_limit);
        f(self.cursor);
    }
};

struct DescribeTopicPartitionsResponse {
    static constexpr auto schema = schema_of(ApiKey::describe_topic_partitions);
    using Cursor = DescribeTopicPartitionsCursor;

    struct Partition {
        ErrorCode error_code = ErrorCode::none;
        int32_t partition_index = 0;
        int32_t leader_id = 0;
        LeaderEpoch leader_epoch = -1;
        Array<int32_t> replica_nodes;
        Array<int32_t> isr_nodes;
        std::optional<Array<int32_t>> eligible_leader_replicas;
        std::optional<Array<int32_t>> last_known_elr;
        Array<int32_t> offline_replicas;

        static void fields(auto& self, auto& f) {
            f(self.error_code);
            f(self.partition_index);
            f(self.leader_id);
            f(self.leader_epoch);
            f(self.replica_nodes);
            f(self.isr_nodes);
            f(self.eligible_leader_replicas);
            f(self.last_known_elr);
            f(self.offline_replicas);
        }
    };

    struct Topic {
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> name;
        Uuid topic_id;
        bool is_internal = false;
        Array<Partition> partitions;
        int32_t topic_authorized_operations = INT32_MIN;

        static void fields(auto& self, auto& f) {
            f(self.error_code);
            f(self.name);
            f(self.topic_id);
            f(self.is_internal);
            f(self.partitions);
            f(self.topic_authorized_operations);
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Topic> topics;
    std::optional<Cursor> next_cursor;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.topics);
        f(self.next_cursor);
    }
};

}  // namespace rafka::protocol
