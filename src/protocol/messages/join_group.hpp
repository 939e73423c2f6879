#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct JoinGroupRequest {
    static constexpr auto schema = schema_of(ApiKey::join_group);

    struct Protocol {
        std::string_view name;
        Bytes metadata;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.metadata);
        }
    };

    std::string_view group_id;
    int32_t session_timeout_ms = 0;
    int32_t rebalance_timeout_ms = -1;  // -1, in version 0: the session timeout.
    std::string_view member_id;
    std::optional<std::string_view> group_instance_id;
    std::string_view protocol_type;
    Array<Protocol> protocols;
    std::optional<std::string_view> reason;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.session_timeout_ms);
        f(self.rebalance_timeout_ms, since(1));
        f(self.member_id);
        f(self.group_instance_id, since(5));
        f(self.protocol_type);
        f(self.protocols);
        f(self.reason, since(8));
    }
};

struct JoinGroupResponse {
    static constexpr auto schema = schema_of(ApiKey::join_group);

    struct Member {
        std::string_view member_id;
        std::optional<std::string_view> group_instance_id;
        Bytes metadata;

        static void fields(auto& self, auto& f) {
            f(self.member_id);
            f(self.group_instance_id, since(5));
            f(self.metadata);
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    int32_t generation_id = -1;
    std::optional<std::string_view> protocol_type;
    std::optional<std::string_view> protocol_name;
    std::string_view leader;
    bool skip_assignment = false;
    std::string_view member_id;
    Array<Member> members;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(2));
        f(self.error_code);
        f(self.generation_id);
        f(self.protocol_type, since(7));
        f(self.protocol_name, nullable_since(7));
        f(self.leader);
        f(self.skip_assignment, since(9));
        f(self.member_id);
        f(self.members);
    }
};

}  // namespace rafka::protocol
