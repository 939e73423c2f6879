#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct MetadataRequest {
    static constexpr auto schema = schema_of(ApiKey::metadata);

    struct Topic {
        Uuid topic_id;
        std::optional<std::string_view> name;

        static void fields(auto& self, auto& f) {
            f(self.topic_id, since(10));
            f(self.name, nullable_since(10));
        }
    };

    std::optional<Array<Topic>> topics;  // Null: all topics (version 0 says that with an empty array).
    bool allow_auto_topic_creation = true;
    bool include_cluster_authorized_operations = false;
    bool include_topic_authorized_operations = false;

    static void fields(auto& self, auto& f) {
        f(self.topics, nullable_since(1));
        f(self.allow_auto_topic_creation, since(4));
        f(self.include_cluster_authorized_operations, between(8, 10));
        f(self.include_topic_authorized_operations, since(8));
    }
};

struct MetadataResponse {
    static constexpr auto schema = schema_of(ApiKey::metadata);

    struct Broker {
        int32_t node_id = 0;
        std::string_view host;
        int32_t port = 0;
        std::optional<std::string_view> rack;

        static void fields(auto& self, auto& f) {
            f(self.node_id);
            f(self.host);
            f(self.port);
            f(self.rack, since(1));
        }
    };

    struct Partition {
        ErrorCode error_code = ErrorCode::none;
        int32_t partition_index = 0;
        int32_t leader_id = 0;
        LeaderEpoch leader_epoch = -1;
        Array<int32_t> replica_nodes;
        Array<int32_t> isr_nodes;
        Array<int32_t> offline_replicas;

        static void fields(auto& self, auto& f) {
            f(self.error_code);
            f(self.partition_index);
            f(self.leader_id);
            f(self.leader_epoch, since(7));
            f(self.replica_nodes);
            f(self.isr_nodes);
            f(self.offline_replicas, since(5));
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
            f(self.name, nullable_since(12));
            f(self.topic_id, since(10));
            f(self.is_internal, since(1));
            f(self.partitions);
            f(self.topic_authorized_operations, since(8));
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Broker> brokers;
    std::optional<std::string_view> cluster_id;
    int32_t controller_id = -1;
    Array<Topic> topics;
    int32_t cluster_authorized_operations = INT32_MIN;
    ErrorCode error_code = ErrorCode::none;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(3));
        f(self.brokers);
        f(self.cluster_id, since(2));
        f(self.controller_id, since(1));
        f(self.topics);
        f(self.cluster_authorized_operations, between(8, 10));
        f(self.error_code, since(13));
    }
};

}  // namespace rafka::protocol
