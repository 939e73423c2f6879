#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct OffsetCommitRequest {
    static constexpr auto schema = schema_of(ApiKey::offset_commit);

    struct Partition {
        int32_t partition_index = 0;
        Offset committed_offset;
        LeaderEpoch committed_leader_epoch = -1;
        std::optional<std::string_view> committed_metadata;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.committed_offset);
            f(self.committed_leader_epoch, since(6));
            f(self.committed_metadata);
        }
    };

    struct Topic {
        std::string_view name;
        Uuid topic_id;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.name, until(9));
            f(self.topic_id, since(10));
            f(self.partitions);
        }
    };

    std::string_view group_id;
    int32_t generation_id_or_member_epoch = -1;
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id;
    int64_t retention_time_ms = -1;
    Array<Topic> topics;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.generation_id_or_member_epoch);
        f(self.member_id);
        f(self.group_instance_id, since(7));
        f(self.retention_time_ms, until(4));
        f(self.topics);
    }
};

struct OffsetCommitResponse {
    static constexpr auto schema = schema_of(ApiKey::offset_commit);

    struct Partition {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.error_code);
        }
    };

    struct Topic {
        std::string_view name;
        Uuid topic_id;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.name, until(9));
            f(self.topic_id, since(10));
            f(self.partitions);
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Topic> topics;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(3));
        f(self.topics);
    }
};

}  // namespace rafka::protocol
