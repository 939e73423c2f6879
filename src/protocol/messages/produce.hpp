#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "protocol/messages/leader.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct ProduceRequest {
    static constexpr auto schema = schema_of(ApiKey::produce);

    struct Partition {
        int32_t index = 0;
        std::optional<Bytes> records;

        static void fields(auto& self, auto& f) {
            f(self.index);
            f(self.records);
        }
    };

    struct Topic {
        std::string_view name;
        Uuid topic_id;
        Array<Partition> partition_data;

        static void fields(auto& self, auto& f) {
            f(self.name, until(12));
            f(self.topic_id, since(13));
            f(self.partition_data);
        }
    };

    std::optional<std::string_view> transactional_id;
    int16_t acks = 0;
    int32_t timeout_ms = 0;
    Array<Topic> topic_data;

    static void fields(auto& self, auto& f) {
        f(self.transactional_id);
        f(self.acks);
        f(self.timeout_ms);
        f(self.topic_data);
    }
};

struct ProduceResponse {
    static constexpr auto schema = schema_of(ApiKey::produce);

    struct RecordError {
        int32_t batch_index = 0;
        std::optional<std::string_view> batch_index_error_message;

        static void fields(auto& self, auto& f) {
            f(self.batch_index);
            f(self.batch_index_error_message);
        }
    };

    struct Partition {
        int32_t index = 0;
        ErrorCode error_code = ErrorCode::none;
        Offset base_offset;
        Timestamp log_append_time_ms = no_timestamp;
        Offset log_start_offset = no_offset;
        Array<RecordError> record_errors;
        std::optional<std::string_view> error_message;
        LeaderIdAndEpoch current_leader;

        static void fields(auto& self, auto& f) {
            f(self.index);
            f(self.error_code);
            f(self.base_offset);
            f(self.log_append_time_ms, since(2));
            f(self.log_start_offset, since(5));
            f(self.record_errors, since(8));
            f(self.error_message, since(8));
            f.tagged(0, self.current_leader, since(10));
        }
    };

    struct Topic {
        std::string_view name;
        Uuid topic_id;
        Array<Partition> partition_responses;

        static void fields(auto& self, auto& f) {
            f(self.name, until(12));
            f(self.topic_id, since(13));
            f(self.partition_responses);
        }
    };

    Array<Topic> responses;
    int32_t throttle_time_ms = 0;
    Array<NodeEndpoint> node_endpoints;

    static void fields(auto& self, auto& f) {
        f(self.responses);
        f(self.throttle_time_ms, since(1));
        f.tagged(0, self.node_endpoints, since(10));
    }
};

}  // namespace rafka::protocol
