#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct CreateTopicsRequest {
    static constexpr auto schema = schema_of(ApiKey::create_topics);

    struct Assignment {
        int32_t partition_index = 0;
        Array<int32_t> broker_ids;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.broker_ids);
        }
    };

    struct Config {
        std::string_view name;
        std::optional<std::string_view> value;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.value);
        }
    };

    struct Topic {
        std::string_view name;
        int32_t num_partitions = 0;      // -1: the default, or given by assignments.
        int16_t replication_factor = 0;  // The same.
        Array<Assignment> assignments;
        Array<Config> configs;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.num_partitions);
            f(self.replication_factor);
            f(self.assignments);
            f(self.configs);
        }
    };

    Array<Topic> topics;
    int32_t timeout_ms = 60000;
    bool validate_only = false;

    static void fields(auto& self, auto& f) {
        f(self.topics);
        f(self.timeout_ms);
        f(self.validate_only, since(1));
    }
};

struct CreateTopicsResponse {
    static constexpr auto schema = schema_of(ApiKey::create_topics);

    struct Config {
        std::string_view name;
        std::optional<std::string_view> value;
        bool read_only = false;
        int8_t config_source = -1;
        bool is_sensitive = false;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.value);
            f(self.read_only);
            f(self.config_source);
            f(self.is_sensitive);
        }
    };

    struct Topic {
        std::string_view name;
        Uuid topic_id;
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;
        ErrorCode topic_config_error_code = ErrorCode::none;
        int32_t num_partitions = -1;
        int16_t replication_factor = -1;
        std::optional<Array<Config>> configs = Array<Config>{};

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.topic_id, since(7));
            f(self.error_code);
            f(self.error_message, since(1));
            f.tagged(0, self.topic_config_error_code, since(5));
            f(self.num_partitions, since(5));
            f(self.replication_factor, since(5));
            f(self.configs, since(5));
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Topic> topics;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(2));
        f(self.topics);
    }
};

}  // namespace rafka::protocol
