#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct ElectLeadersRequest {
    static constexpr auto schema = schema_of(ApiKey::elect_leaders);

    struct Topic {
        std::string_view topic;
        Array<int32_t> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic);
            f(self.partitions);
        }
    };

    int8_t election_type = 0;  // 0 preferred, 1 unclean.
    std::optional<Array<Topic>> topic_partitions;
    int32_t timeout_ms = 60000;

    static void fields(auto& self, auto& f) {
        f(self.election_type, since(1));
        f(self.topic_partitions);
        f(self.timeout_ms);
    }
};

struct ElectLeadersResponse {
    static constexpr auto schema = schema_of(ApiKey::elect_leaders);

    struct Partition {
        int32_t partition_id = 0;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;

        static void fields(auto& self, auto& f) {
            f(self.partition_id);
            f(self.error_code);
            f(self.error_message);
        }
    };

    struct Topic {
        std::string_view topic;
        Array<Partition> partition_result;

        static void fields(auto& self, auto& f) {
            f(self.topic);
            f(self.partition_result);
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    Array<Topic> replica_election_results;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.error_code, since(1));
        f(self.replica_election_results);
    }
};

}  // namespace rafka::protocol
