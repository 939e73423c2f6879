#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct OffsetForLeaderEpochRequest {
    static constexpr auto schema = schema_of(ApiKey::offset_for_leader_epoch);

    struct Partition {
        int32_t partition = 0;
        LeaderEpoch current_leader_epoch = -1;
        LeaderEpoch leader_epoch = 0;

        static void fields(auto& self, auto& f) {
            f(self.partition);
            f(self.current_leader_epoch, since(2));
            f(self.leader_epoch);
        }
    };

    struct Topic {
        std::string_view topic;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic);
            f(self.partitions);
        }
    };

    int32_t replica_id = -2;
    Array<Topic> topics;

    static void fields(auto& self, auto& f) {
        f(self.replica_id, since(3));
        f(self.topics);
    }
};

struct OffsetForLeaderEpochResponse {
    static constexpr auto schema = schema_of(ApiKey::offset_for_leader_epoch);

    struct Partition {
        ErrorCode error_code = ErrorCode::none;  // First, unlike in other answers.
        int32_t partition = 0;
        LeaderEpoch leader_epoch = -1;
        Offset end_offset = no_offset;

        static void fields(auto& self, auto& f) {
            f(self.error_code);
            f(self.partition);
            f(self.leader_epoch, since(1));
            f(self.end_offset);
        }
    };

    struct Topic {
        std::string_view topic;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic);
            f(self.partitions);
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Topic> topics;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(2));
        f(self.topics);
    }
};

}  // namespace rafka::protocol
