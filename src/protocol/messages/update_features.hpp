#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct UpdateFeaturesRequest {
    static constexpr auto schema = schema_of(ApiKey::update_features);

    struct Update {
        std::string_view feature;
        int16_t max_version_level = 0;
        bool allow_downgrade = false;
        int8_t upgrade_type = 1;  // 1 upgrade, 2 safe downgrade, 3 unsafe downgrade.

        static void fields(auto& self, auto& f) {
            f(self.feature);
            f(self.max_version_level);
            f(self.allow_downgrade, until(0));
            f(self.upgrade_type, since(1));
        }
    };

    int32_t timeout_ms = 60000;
    Array<Update> feature_updates;
    bool validate_only = false;

    static void fields(auto& self, auto& f) {
        f(self.timeout_ms);
        f(self.feature_updates);
        f(self.validate_only, since(1));
    }
};

struct UpdateFeaturesResponse {
    static constexpr auto schema = schema_of(ApiKey::update_features);

    struct Result {
        std::string_view feature;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;

        static void fields(auto& self, auto& f) {
            f(self.feature);
            f(self.error_code);
            f(self.error_message);
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    Array<Result> results;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.error_code);
        f(self.error_message);
        f(self.results, until(1));
    }
};

}  // namespace rafka::protocol
