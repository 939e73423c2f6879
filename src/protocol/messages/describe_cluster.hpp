#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct DescribeClusterRequest {
    static constexpr auto schema = schema_of(ApiKey::describe_cluster);

    bool include_cluster_authorized_operations = false;
    int8_t endpoint_type = 1;  // 1 brokers, 2 controllers.
    bool include_fenced_brokers = false;

    static void fields(auto& self, auto& f) {
        f(self.include_cluster_authorized_operations);
        f(self.endpoint_type, since(1));
        f(self.include_fenced_brokers, since(2));
    }
};

struct DescribeClusterResponse {
    static constexpr auto schema = schema_of(ApiKey::describe_cluster);

    struct Broker {
        int32_t broker_id = 0;
        std::string_view host;
        int32_t port = 0;
        std::optional<std::string_view> rack;
        bool is_fenced = false;

        static void fields(auto& self, auto& f) {
            f(self.broker_id);
            f(self.host);
            f(self.port);
            f(self.rack);
            f(self.is_fenced, since(2));
        }
    };

    int32_t throttle_time_ms = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string_view> error_message;
    int8_t endpoint_type = 1;
    std::string_view cluster_id;
    int32_t controller_id = -1;
    Array<Broker> brokers;
    int32_t cluster_authorized_operations = INT32_MIN;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.error_code);
        f(self.error_message);
        f(self.endpoint_type, since(1));
        f(self.cluster_id);
        f(self.controller_id);
        f(self.brokers);
        f(self.cluster_authorized_operations);
    }
};

}  // namespace rafka::protocol
