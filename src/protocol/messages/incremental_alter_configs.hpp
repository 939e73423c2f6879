#pragma once

#include "protocol/messages/alter_configs.hpp"

namespace rafka::protocol {

struct IncrementalAlterConfigsRequest {
    static constexpr auto schema = schema_of(ApiKey::incremental_alter_configs);

    struct Config {
        std::string_view name;
        int8_t config_operation = 0;  // 0 set, 1 delete, 2 append, 3 subtract.
        std::optional<std::string_view> value;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.config_operation);
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

struct IncrementalAlterConfigsResponse {
    static constexpr auto schema = schema_of(ApiKey::incremental_alter_configs);

    using Resource = AlterConfigsResponse::Resource;

    int32_t throttle_time_ms = 0;
    Array<Resource> responses;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.responses);
    }
};

}  // namespace rafka::protocol
