#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct DescribeConfigsRequest {
    static constexpr auto schema = schema_of(ApiKey::describe_configs);

    struct Resource {
        int8_t resource_type = 0;
        std::string_view resource_name;
        std::optional<Array<std::string_view>> configuration_keys;  // Null: all.

        static void fields(auto& self, auto& f) {
            f(self.resource_type);
            f(self.resource_name);
            f(self.configuration_keys);
        }
    };

    Array<Resource> resources;
    bool include_synonyms = false;
    bool include_documentation = false;

    static void fields(auto& self, auto& f) {
        f(self.resources);
        f(self.include_synonyms, since(1));
        f(self.include_documentation, since(3));
    }
};

struct DescribeConfigsResponse {
    static constexpr auto schema = schema_of(ApiKey::describe_configs);

    struct Synonym {
        std::string_view name;
        std::optional<std::string_view> value;
        int8_t source = 0;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.value);
            f(self.source);
        }
    };

    struct Config {
        std::string_view name;
        std::optional<std::string_view> value;
        bool read_only = false;
        int8_t config_source = -1;
        bool is_sensitive = false;
        Array<Synonym> synonyms;
        int8_t config_type = 0;
        std::optional<std::string_view> documentation;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.value);
            f(self.read_only);
            f(self.config_source, since(1));
            f(self.is_sensitive);
            f(self.synonyms, since(1));
            f(self.config_type, since(3));
            f(self.documentation, since(3));
        }
    };

    struct Result {
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;
        int8_t resource_type = 0;
        std::string_view resource_name;
        Array<Config> configs;

        static void fields(auto& self, auto& f) {
            f(self.error_code);
            f(self.error_message);
            f(self.resource_type);
            f(self.resource_name);
            f(self.configs);
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
