#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct DeleteRecordsRequest {
    static constexpr auto schema = schema_of(ApiKey::delete_records);

    struct Partition {
        int32_t partition_index = 0;
        Offset offset;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.offset);
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

    Array<Topic> topics;
    int32_t timeout_ms = 0;

    static void fields(auto& self, auto& f) {
        f(self.topics);
        f(self.timeout_ms);
    }
};

struct DeleteRecordsResponse {
    static constexpr auto schema = schema_of(ApiKey::delete_records);

    struct Partition {
        int32_t partition_index = 0;
        int64_t low_watermark = 0;
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.low_watermark);
            f(self.error_code);
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
