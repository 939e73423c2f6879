#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct DescribeClientQuotasRequest {
    static constexpr auto schema = schema_of(ApiKey::describe_client_quotas);

    struct Component {
        std::string_view entity_type;
        int8_t match_type = 0;  // 0 exact name, 1 default name, 2 any name.
        std::optional<std::string_view> match;

        static void fields(auto& self, auto& f) {
            f(self.entity_type);
            f(self.match_type);
            f(self.match);
        }
    };

    Array<Component> components;
    bool strict = false;

    static void fields(auto& self, auto& f) {
        f(self.components);
        f(self.strict);
    }
};

struct DescribeClientQuotasResponse {
    static constexpr auto schema = schema_of(ApiKey::describe_client_quotas);

    struct Entity {
        std::string_view entity_type;
        std::optional<std::string_view> entity_name;

        static void fields(auto& self, auto& f) {
            f(self.entity_type);
            f(self.entity_name);
        }
    };

    struct Value {
        std::string_view key;
        double value = 0;

        static void fields(auto& self, auto& f) {
            f(self.key);
            f(self.value);
        }
    };

    struct Entry {
        Array<Entity> entity;
        Array<Value> values;

        static void fields(auto& self, auto& f) {
            f(self.entity);
            f(self.values);
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    std::optional<Array<Entry>> entries;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.error_code);
        f(self.error_message);
        f(self.entries);
    }
};

}  // namespace rafka::protocol
