#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct SyncGroupRequest {
    static constexpr auto schema = schema_of(ApiKey::sync_group);

    struct Assignment {
        std::string_view member_id;
        Bytes assignment;

        static void fields(auto& self, auto& f) {
            f(self.member_id);
            f(self.assignment);
        }
    };

    std::string_view group_id;
    int32_t generation_id = 0;
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id;
    std::optional<std::string_view> protocol_type;
    std::optional<std::string_view> protocol_name;
    Array<Assignment> assignments;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.generation_id);
        f(self.member_id);
        f(self.group_instance_id, since(3));
        f(self.protocol_type, since(5));
        f(self.protocol_name, since(5));
        f(self.assignments);
    }
};

struct SyncGroupResponse {
    static constexpr auto schema = schema_of(ApiKey::sync_group);

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> protocol_type;
    std::optional<std::string_view> protocol_name;
    Bytes assignment;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(1));
        f(self.error_code);
        f(self.protocol_type, since(5));
        f(self.protocol_name, since(5));
        f(self.assignment);
    }
};

}  // namespace rafka::protocol
