#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct ApiVersionsRequest {
    static constexpr auto schema = schema_of(ApiKey::api_versions);

    std::string_view client_software_name;
    std::string_view client_software_version;

    static void fields(auto& self, auto& f) {
        f(self.client_software_name, since(3));
        f(self.client_software_version, since(3));
    }
};

struct ApiVersionsResponse {
    static constexpr auto schema = schema_of(ApiKey::api_versions);

    struct ApiVersion {
        int16_t api_key = 0;
        int16_t min_version = 0;
        int16_t max_version = 0;

        static void fields(auto& self, auto& f) {
            f(self.api_key);
            f(self.min_version);
            f(self.max_version);
        }
    };

    struct SupportedFeature {
        std::string_view name;
        int16_t min_version = 0;
        int16_t max_version = 0;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.min_version);
            f(self.max_version);
        }
    };

    struct FinalizedFeature {
        std::string_view name;
        int16_t max_version_level = 0;  // On the wire the maximum comes first here.
        int16_t min_version_level = 0;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.max_version_level);
            f(self.min_version_level);
        }
    };

    ErrorCode error_code = ErrorCode::none;
    Array<ApiVersion> api_keys;
    int32_t throttle_time_ms = 0;
    Array<SupportedFeature> supported_features;  // Below version 4 without those whose minimum is 0.
    int64_t finalized_features_epoch = -1;
    Array<FinalizedFeature> finalized_features;
    bool zk_migration_ready = false;

    static void fields(auto& self, auto& f) {
        f(self.error_code);
        f(self.api_keys);
        f(self.throttle_time_ms, since(1));
        f.tagged(0, self.supported_features, since(3));
        f.tagged(1, self.finalized_features_epoch, since(3));
        f.tagged(2, self.finalized_features, since(3));
        f.tagged(3, self.zk_migration_ready, since(3));
    }
};

}  // namespace rafka::protocol
