#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct AlterPartitionReassignmentsRequest {
    static constexpr auto schema = schema_of(ApiKey::alter_partition_reassignments);

    struct Partition {
        int32_t partition_index = 0;
        std::optional<Array<int32_t>> replicas;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.replicas);
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

    int32_t timeout_ms = 60000;
    bool allow_replication_factor_change = true;
    Array<Topic> topics;

    static void fields(auto& self, auto& f) {
        f(self.timeout_ms);
        f(self.allow_replication_factor_change, since(1));
        f(self.topics);
    }
};

struct AlterPartitionReassignmentsResponse {
    static constexpr auto schema = schema_of(ApiKey::alter_partition_reassignments);

    struct Partition {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.error_code);
            f(self.error_message);
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
    bool allow_replication_factor_change = true;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    Array<Topic> responses;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.allow_replication_factor_change, since(1));
        f(self.error_code);
        f(self.error_message);
        f(self.responses);
    }
};

}  // namespace rafka::protocol
