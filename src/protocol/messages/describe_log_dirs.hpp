#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct DescribeLogDirsRequest {
    static constexpr auto schema = schema_of(ApiKey::describe_log_dirs);

    struct Topic {
        std::string_view topic;
        Array<int32_t> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic);
            f(self.partitions);
        }
    };

    std::optional<Array<Topic>> topics;

    static void fields(auto& self, auto& f) { f(self.topics); }
};

struct DescribeLogDirsResponse {
    static constexpr auto schema = schema_of(ApiKey::describe_log_dirs);

    struct Partition {
        int32_t partition_index = 0;
        int64_t partition_size = 0;
        int64_t offset_lag = 0;
        bool is_future_key = false;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.partition_size);
            f(self.offset_lag);
            f(self.is_future_key);
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

    struct Result {
        ErrorCode error_code = ErrorCode::none;
        std::string_view log_dir;
        Array<Topic> topics;
        int64_t total_bytes = -1;
        int64_t usable_bytes = -1;
        bool is_cordoned = false;

        static void fields(auto& self, auto& f) {
            f(self.error_code);
            f(self.log_dir);
            f(self.topics);
            f(self.total_bytes, since(4));
            f(self.usable_bytes, since(4));
            f(self.is_cordoned, since(5));
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    Array<Result> results;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.error_code, since(3));
        f(self.results);
    }
};

}  // namespace rafka::protocol
