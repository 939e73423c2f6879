#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct DescribeProducersRequest {
    static constexpr auto schema = schema_of(ApiKey::describe_producers);

    struct Topic {
        std::string_view name;
        Array<int32_t> partition_indexes;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.partition_indexes);
        }
    };

    Array<Topic> topics;

    static void fields(auto& self, auto& f) { f(self.topics); }
};

struct DescribeProducersResponse {
    static constexpr auto schema = schema_of(ApiKey::describe_producers);

    struct Producer {
        int64_t producer_id = 0;
        int32_t producer_epoch = 0;
        int32_t last_sequence = -1;
        Timestamp last_timestamp = no_timestamp;
        int32_t coordinator_epoch = 0;
        Offset current_txn_start_offset = no_offset;

        static void fields(auto& self, auto& f) {
            f(self.producer_id);
            f(self.producer_epoch);
            f(self.last_sequence);
            f(self.last_timestamp);
            f(self.coordinator_epoch);
            f(self.current_txn_start_offset);
        }
    };

    struct Partition {
        int32_t partition_index = 0;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;
        Array<Producer> active_producers;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.error_code);
            f(self.error_message);
            f(self.active_producers);
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
        f(self.throttle_time_ms);
        f(self.topics);
    }
};

}  // namespace rafka::protocol
