#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct CreatePartitionsRequest {
    static constexpr auto schema = schema_of(ApiKey::create_partitions);

    struct Assignment {
        Array<int32_t> broker_ids;

        static void fields(auto& self, auto& f) { f(self.broker_ids); }
    };

    struct Topic {
        std::string_view name;
        int32_t count = 0;
        std::optional<Array<Assignment>> assignments;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.count);
            f(self.assignments);
        }
    };

    Array<Topic> topics;
    int32_t timeout_ms = 0;
    bool validate_only = false;

    static void fields(auto& self, auto& f) {
        f(self.topics);
        f(self.timeout_ms);
        f(self.validate_only);
    }
};

struct CreatePartitionsResponse {
    static constexpr auto schema = schema_of(ApiKey::create_partitions);

    struct Topic {
        std::string_view name;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.error_code);
            f(self.error_message);
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Topic> results;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.results);
    }
};

}  // namespace rafka::protocol
