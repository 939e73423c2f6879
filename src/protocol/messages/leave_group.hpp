#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct LeaveGroupRequest {
    static constexpr auto schema = schema_of(ApiKey::leave_group);

    struct Member {
        std::string_view member_id;
        std::optional<std::string_view> group_instance_id;
        std::optional<std::string_view> reason;

        static void fields(auto& self, auto& f) {
            f(self.member_id);
            f(self.group_instance_id);
            f(self.reason, since(5));
        }
    };

    std::string_view group_id;
    std::string_view member_id;
    Array<Member> members;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.member_id, until(2));
        f(self.members, since(3));
    }
};

struct LeaveGroupResponse {
    static constexpr auto schema = schema_of(ApiKey::leave_group);

    struct Member {
        std::string_view member_id;
        std::optional<std::string_view> group_instance_id;
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& self, auto& f) {
            f(self.member_id);
            f(self.group_instance_id);
            f(self.error_code);
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    Array<Member> members;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(1));
        f(self.error_code);
        f(self.members, since(3));
    }
};

}  // namespace rafka::protocol
