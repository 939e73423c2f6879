#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct DeleteTopicsRequest {
    static constexpr auto schema = schema_of(ApiKey::delete_topics);

    struct Topic {
        std::optional<std::string_view> name;
        Uuid topic_id;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.topic_id);
        }
    };

    Array<Topic> topics;
    Array<std::string_view> topic_names;
    int32_t timeout_ms = 0;

    static void fields(auto& self, auto& f) {
        f(self.topics, since(6));
        f(self.topic_names, until(5));
        f(self.timeout_ms);
    }
};

struct DeleteTopicsResponse {
    static constexpr auto schema = schema_of(ApiKey::delete_topics);

    struct Topic {
        std::optional<std::string_view> name;
        Uuid topic_id;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;

        static void fields(auto& self, auto& f) {
            f(self.name, nullable_since(6));
            f(self.topic_id, since(6));
            f(self.error_code);
            f(self.error_message, since(5));
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Topic> responses;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(1));
        f(self.responses);
    }
};

}  // namespace rafka::protocol
