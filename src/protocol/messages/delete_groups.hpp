#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct DeleteGroupsRequest {
    static constexpr auto schema = schema_of(ApiKey::delete_groups);

    Array<std::string_view> groups_names;

    static void fields(auto& self, auto& f) { f(self.groups_names); }
};

struct DeleteGroupsResponse {
    static constexpr auto schema = schema_of(ApiKey::delete_groups);

    struct Result {
        std::string_view group_id;
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& self, auto& f) {
            f(self.group_id);
            f(self.error_code);
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Result> results;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.results);
    }
};

}  // namespace rafka::protocol
