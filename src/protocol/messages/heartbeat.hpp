#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct HeartbeatRequest {
    static constexpr auto schema = schema_of(ApiKey::heartbeat);

    std::string_view group_id;
    int32_t generation_id = 0;
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.generation_id);
        f(self.member_id);
        f(self.group_instance_id, since(3));
    }
};

struct HeartbeatResponse {
    static constexpr auto schema = schema_of(ApiKey::heartbeat);

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(1));
        f(self.error_code);
    }
};

}  // namespace rafka::protocol
