#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct ListPartitionReassignmentsRequest {
    static constexpr auto schema = schema_of(ApiKey::list_partition_reassignments);

    struct Topic {
        std::string_view name;
        Array<int32_t> partition_indexes;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.partition_indexes);
        }
    };

    int32_t timeout_ms = 60000;
    std::optional<Array<Topic>> topics;

    static void fields(auto& self, auto& f) {
        f(self.timeout_ms);
        f(self.topics);
    }
};

struct ListPartitionReassignmentsResponse {
    static constexpr auto schema = schema_of(ApiKey::list_partition_reassignments);

    struct Partition {
        int32_t partition_index = 0;
        Array<int32_t> replicas;
        Array<int32_t> adding_replicas;
        Array<int32_t> removing_replicas;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.replicas);
            f(self.adding_replicas);
            f(self.removing_replicas);
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
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    Array<Topic> topics;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.error_code);
        f(self.error_message);
        f(self.topics);
    }
};

}  // namespace rafka::protocol
