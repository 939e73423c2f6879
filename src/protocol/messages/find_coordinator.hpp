#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct FindCoordinatorRequest {
    static constexpr auto schema = schema_of(ApiKey::find_coordinator);

    std::string_view key;
    int8_t key_type = 0;  // 0 group, 1 transaction, 2 share.
    Array<std::string_view> coordinator_keys;

    static void fields(auto& self, auto& f) {
        f(self.key, until(3));
        f(self.key_type, since(1));
        f(self.coordinator_keys, since(4));
    }
};

struct FindCoordinatorResponse {
    static constexpr auto schema = schema_of(ApiKey::find_coordinator);

    struct Coordinator {
        std::string_view key;
        int32_t node_id = 0;
        std::string_view host;
        int32_t port = 0;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;

        static void fields(auto& self, auto& f) {
            f(self.key);
            f(self.node_id);
            f(self.host);
            f(self.port);
            f(self.error_code);
            f(self.error_message);
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    int32_t node_id = 0;
    std::string_view host;
    int32_t port = 0;
    Array<Coordinator> coordinators;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(1));
        f(self.error_code, until(3));
        f(self.error_message, between(1, 3));
        f(self.node_id, until(3));
        f(self.host, until(3));
        f(self.port, until(3));
        f(self.coordinators, since(4));
    }
};

}  // namespace rafka::protocol
