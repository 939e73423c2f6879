#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct DescribeQuorumRequest {
    static constexpr auto schema = schema_of(ApiKey::describe_quorum);

    struct Partition {
        int32_t partition_index = 0;

        static void fields(auto& self, auto& f) { f(self.partition_index); }
    };

    struct Topic {
        std::string_view topic_name;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic_name);
            f(self.partitions);
        }
    };

    Array<Topic> topics;

    static void fields(auto& self, auto& f) { f(self.topics); }
};

struct DescribeQuorumResponse {
    static constexpr auto schema = schema_of(ApiKey::describe_quorum);

    struct ReplicaState {
        int32_t replica_id = 0;
        Uuid replica_directory_id;
        Offset log_end_offset;
        Timestamp last_fetch_timestamp = no_timestamp;
        Timestamp last_caught_up_timestamp = no_timestamp;

        static void fields(auto& self, auto& f) {
            f(self.replica_id);
            f(self.replica_directory_id, since(2));
            f(self.log_end_offset);
            f(self.last_fetch_timestamp, since(1));
            f(self.last_caught_up_timestamp, since(1));
        }
    };

    struct Partition {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;
        int32_t leader_id = 0;
        LeaderEpoch leader_epoch = 0;
        Offset high_watermark;
        Array<ReplicaState> current_voters;
        Array<ReplicaState> observers;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.error_code);
            f(self.error_message, since(2));
            f(self.leader_id);
            f(self.leader_epoch);
            f(self.high_watermark);
            f(self.current_voters);
            f(self.observers);
        }
    };

    struct Topic {
        std::string_view topic_name;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic_name);
            f(self.partitions);
        }
    };

    struct Listener {
        std::string_view name;
        std::string_view host;
        uint16_t port = 0;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.host);
            f(self.port);
        }
    };

    struct Node {
        int32_t node_id = 0;
        Array<Listener> listeners;

        static void fields(auto& self, auto& f) {
            f(self.node_id);
            f(self.listeners);
        }
    };

    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    Array<Topic> topics;
    Array<Node> nodes;

    static void fields(auto& self, auto& f) {
        f(self.error_code);
        f(self.error_message, since(2));
        f(self.topics);
        f(self.nodes, since(2));
    }
};

}  // namespace rafka::protocol
