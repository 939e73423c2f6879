#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct ListOffsetsRequest {
    static constexpr auto schema = schema_of(ApiKey::list_offsets);

    struct Partition {
        int32_t partition_index = 0;
        LeaderEpoch current_leader_epoch = -1;
        Timestamp timestamp;  // Below zero it names a position; see the handler.

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.current_leader_epoch, since(4));
            f(self.timestamp);
        }
    };

    struct Topic {
        std::string_view name;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.partitions);
        }
    };

    int32_t replica_id = 0;
    int8_t isolation_level = 0;
    Array<Topic> topics;
    int32_t timeout_ms = 0;

    static void fields(auto& self, auto& f) {
        f(self.replica_id);
        f(self.isolation_level, since(2));
        f(self.topics);
        f(self.timeout_ms, since(10));
    }
};

struct ListOffsetsResponse {
    static constexpr auto schema = schema_of(ApiKey::list_offsets);

    struct Partition {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;
        Timestamp timestamp = no_timestamp;
        Offset offset = no_offset;
        LeaderEpoch leader_epoch = -1;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.error_code);
            f(self.timestamp, since(1));
            f(self.offset, since(1));
            f(self.leader_epoch, since(4));
        }
    };

    struct Topic {
        std::string_view name;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.name);
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
