#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct ListConfigResourcesRequest {
    static constexpr auto schema = schema_of(ApiKey::list_config_resources);

    Array<int8_t> resource_types;

    static void fields(auto& self, auto& f) { f(self.resource_types, since(1)); }
};

struct ListConfigResourcesResponse {
    static constexpr auto schema = schema_of(ApiKey::list_config_resources);

    struct Resource {
        std::string_view resource_name;
        int8_t resource_type = 16;

        static void fields(auto& self, auto& f) {
            f(self.resource_name);
            f(self.resource_type, since(1));
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    Array<Resource> config_resources;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.error_code);
        f(self.config_resources);
    }
};

}  // namespace rafka::protocol
