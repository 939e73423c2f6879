#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

// What either kind of AlterConfigs asks of one topic, broker or group.
template <class Config>
struct ConfigsOfResource {
    int8_t resource_type = 0;
    std::string_view resource_name;
    Array<Config> configs;

    static void fields(auto& self, auto& f) {
        f(self.resource_type);
        f(self.resource_name);
        f(self.configs);
    }
};

struct AlterConfigsRequest {
    static constexpr auto schema = schema_of(ApiKey::alter_configs);

    struct Config {
        std::string_view name;
        std::optional<std::string_view> value;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.value);
        }
    };

    using Resource = ConfigsOfResource<Config>;

    Array<Resource> resources;
    bool validate_only = false;

    static void fields(auto& self, auto& f) {
        f(self.resources);
        f(self.validate_only);
    }
};

struct AlterConfigsResponse {
    static constexpr auto schema = schema_of(ApiKey::alter_configs);

    struct Resource {
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;
        int8_t resource_type = 0;
        std::string_view resource_name;

        static void fields(auto& self, auto& f) {
            f(self.error_code);
            f(self.error_message);
            f(self.resource_type);
            f(self.resource_name);
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Resource> responses;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.responses);
    }
};

}  // namespace rafka::protocol
