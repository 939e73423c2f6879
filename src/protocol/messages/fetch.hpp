#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "protocol/messages/leader.hpp"
#include "wire/message.hpp"

#include <limits>

namespace rafka::protocol {

struct FetchRequest {
    static constexpr auto schema = schema_of(ApiKey::fetch);

    struct ReplicaState {
        int32_t replica_id = -1;
        int64_t replica_epoch = -1;

        friend bool operator==(const ReplicaState&, const ReplicaState&) = default;

        static void fields(auto& self, auto& f) {
            f(self.replica_id);
            f(self.replica_epoch);
        }
    };

    struct Partition {
        int32_t partition = 0;
        LeaderEpoch current_leader_epoch = -1;
        Offset fetch_offset;
        LeaderEpoch last_fetched_epoch = -1;
        Offset log_start_offset = no_offset;
        int32_t partition_max_bytes = 0;
        Uuid replica_directory_id;
        Offset high_watermark{std::numeric_limits<int64_t>::max()};

        static void fields(auto& self, auto& f) {
            f(self.partition);
            f(self.current_leader_epoch, since(9));
            f(self.fetch_offset);
            f(self.last_fetched_epoch, since(12));
            f(self.log_start_offset, since(5));
            f(self.partition_max_bytes);
            f.tagged(0, self.replica_directory_id, since(17));
            f.tagged(1, self.high_watermark, since(18));
        }
    };

    struct Topic {
        std::string_view topic;
        Uuid topic_id;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic, until(12));
            f(self.topic_id, since(13));
            f(self.partitions);
        }
    };

    struct ForgottenTopic {
        std::string_view topic;
        Uuid topic_id;
        Array<int32_t> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic, until(12));
            f(self.topic_id, since(13));
            f(self.partitions);
        }
    };

    std::optional<std::string_view> cluster_id;
    int32_t replica_id = -1;
    ReplicaState replica_state;
    int32_t max_wait_ms = 0;
    int32_t min_bytes = 0;
    int32_t max_bytes = INT32_MAX;
    int8_t isolation_level = 0;
    int32_t session_id = 0;
    int32_t session_epoch = -1;
    Array<Topic> topics;
    Array<ForgottenTopic> forgotten_topics_data;
    std::string_view rack_id;

    static void fields(auto& self, auto& f) {
        f.tagged(0, self.cluster_id, since(12));
        f(self.replica_id, until(14));
        f.tagged(1, self.replica_state, since(15));
        f(self.max_wait_ms);
        f(self.min_bytes);
        f(self.max_bytes, since(3));
        f(self.isolation_level, since(4));
        f(self.session_id, since(7));
        f(self.session_epoch, since(7));
        f(self.topics);
        f(self.forgotten_topics_data, since(7));
        f(self.rack_id, since(11));
    }
};

struct FetchResponse {
    static constexpr auto schema = schema_of(ApiKey::fetch);

    struct EpochEndOffset {
        LeaderEpoch epoch = -1;
        Offset end_offset = no_offset;

        friend bool operator==(const EpochEndOffset&, const EpochEndOffset&) = default;

        static void fields(auto& self, auto& f) {
            f(self.epoch);
            f(self.end_offset);
        }
    };

    struct SnapshotId {
        Offset end_offset = no_offset;
        LeaderEpoch epoch = -1;

        friend bool operator==(const SnapshotId&, const SnapshotId&) = default;

        static void fields(auto& self, auto& f) {
            f(self.end_offset);
            f(self.epoch);
        }
    };

    struct AbortedTransaction {
        int64_t producer_id = 0;
        Offset first_offset;

        static void fields(auto& self, auto& f) {
            f(self.producer_id);
            f(self.first_offset);
        }
    };

    struct Partition {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;
        Offset high_watermark;
        Offset last_stable_offset = no_offset;
        Offset log_start_offset = no_offset;
        EpochEndOffset diverging_epoch;
        LeaderIdAndEpoch current_leader;
        SnapshotId snapshot_id;
        std::optional<Array<AbortedTransaction>> aborted_transactions;
        int32_t preferred_read_replica = -1;
        std::optional<wire::Pieces> records = wire::Pieces{};  // Some clients stumble over null.

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.error_code);
            f(self.high_watermark);
            f(self.last_stable_offset, since(4));
            f(self.log_start_offset, since(5));
            f.tagged(0, self.diverging_epoch, since(12));
            f.tagged(1, self.current_leader, since(12));
            f.tagged(2, self.snapshot_id, since(12));
            f(self.aborted_transactions, since(4));
            f(self.preferred_read_replica, since(11));
            f(self.records);
        }
    };

    struct Topic {
        std::string_view topic;
        Uuid topic_id;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic, until(12));
            f(self.topic_id, since(13));
            f(self.partitions);
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    int32_t session_id = 0;
    Array<Topic> responses;
    Array<NodeEndpoint> node_endpoints;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(1));
        f(self.error_code, since(7));
        f(self.session_id, since(7));
        f(self.responses);
        f.tagged(0, self.node_endpoints, since(16));
    }
};

}  // namespace rafka::protocol
