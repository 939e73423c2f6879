#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct DescribeGroupsRequest {
    static constexpr auto schema = schema_of(ApiKey::describe_groups);

    Array<std::string_view> groups;
    bool include_authorized_operations = false;

    static void fields(auto& self, auto& f) {
        f(self.groups);
        f(self.include_authorized_operations, since(3));
    }
};

struct DescribeGroupsResponse {
    static constexpr auto schema = schema_of(ApiKey::describe_groups);

    struct Member {
        std::string_view member_id;
        std::optional<std::string_view> group_instance_id;
        std::string_view client_id;
        std::string_view client_host;
        Bytes member_metadata;
        Bytes member_assignment;

        static void fields(auto& self, auto& f) {
            f(self.member_id);
            f(self.group_instance_id, since(4));
            f(self.client_id);
            f(self.client_host);
            f(self.member_metadata);
            f(self.member_assignment);
        }
    };

    struct Group {
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;
        std::string_view group_id;
        std::string_view group_state;
        std::string_view protocol_type;
        std::string_view protocol_data;
        Array<Member> members;
        int32_t authorized_operations = INT32_MIN;  // Not asked for.

        static void fields(auto& self, auto& f) {
            f(self.error_code);
            f(self.error_message, since(6));
            f(self.group_id);
            f(self.group_state);
            f(self.protocol_type);
            f(self.protocol_data);
            f(self.members);
            f(self.authorized_operations, since(3));
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Group> groups;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(1));
        f(self.groups);
    }
};

}  // namespace rafka::protocol
