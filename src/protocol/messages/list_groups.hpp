#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct ListGroupsRequest {
    static constexpr auto schema = schema_of(ApiKey::list_groups);

    Array<std::string_view> states_filter;
    Array<std::string_view> types_filter;

    static void fields(auto& self, auto& f) {
        f(self.states_filter, since(4));
        f(self.types_filter, since(5));
    }
};

struct ListGroupsResponse {
    static constexpr auto schema = schema_of(ApiKey::list_groups);

    struct Group {
        std::string_view group_id;
        std::string_view protocol_type;
        std::string_view group_state;
        std::string_view group_type;

        static void fields(auto& self, auto& f) {
            f(self.group_id);
            f(self.protocol_type);
            f(self.group_state, since(4));
            f(self.group_type, since(5));
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    Array<Group> groups;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(1));
        f(self.error_code);
        f(self.groups);
    }
};

}  // namespace rafka::protocol
