#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct OffsetDeleteRequest {
    static constexpr auto schema = schema_of(ApiKey::offset_delete);

    struct Partition {
        int32_t partition_index = 0;

        static void fields(auto& self, auto& f) { f(self.partition_index); }
    };

    struct Topic {
        std::string_view name;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.partitions);
        }
    };

    std::string_view group_id;
    Array<Topic> topics;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.topics);
    }
};

struct OffsetDeleteResponse {
    static constexpr auto schema = schema_of(ApiKey::offset_delete);

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
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.partitions);
        }
    };

    ErrorCode error_code = ErrorCode::none;
    int32_t throttle_time_ms = 0;
    Array<Topic> topics;

    static void fields(auto& self, auto& f) {
        f(self.error_code);
        f(self.throttle_time_ms);
        f(self.topics);
    }
};

}  // namespace rafka::protocol
