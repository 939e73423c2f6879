#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct ConsumerGroupDescribeRequest {
    static constexpr auto schema = schema_of(ApiKey::consumer_group_describe);

    Array<std::string_view> group_ids;
    bool include_authorized_operations = false;

    static void fields(auto& self, auto& f) {
        f(self.group_ids);
        f(self.include_authorized_operations);
    }
};

struct ConsumerGroupDescribeResponse {
    static constexpr auto schema = schema_of(ApiKey::consumer_group_describe);

    struct TopicPartitions {
        Uuid topic_id;
        std::string_view topic_name;
        Array<int32_t> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic_id);
            f(self.topic_name);
            f(self.partitions);
        }
    };

    struct Assignment {
        Array<TopicPartitions> topic_partitions;

        static void fields(auto& self, auto& f) { f(self.topic_partitions); }
    };

    struct Member {
        std::string_view member_id;
        std::optional<std::string_view> instance_id;
        std::optional<std::string_view> rack_id;
        int32_t member_epoch = 0;
        std::string_view client_id;
        std::string_view client_host;
        Array<std::string_view> subscribed_topic_names;
        std::optional<std::string_view> subscribed_topic_regex;
        Assignment assignment;
        Assignment target_assignment;
        int8_t member_type = -1;  // 0 classic, 1 consumer.

        static void fields(auto& self, auto& f) {
            f(self.member_id);
            f(self.instance_id);
            f(self.rack_id);
            f(self.member_epoch);
            f(self.client_id);
            f(self.client_host);
            f(self.subscribed_topic_names);
            f(self.subscribed_topic_regex);
            f(self.assignment);
            f(self.target_assignment);
            f(self.member_type, since(1));
        }
    };

    struct Group {
        ErrorCode error_code = ErrorCode::none;
        std::optional<std::string_view> error_message;
        std::string_view group_id;
        std::string_view group_state;
        int32_t group_epoch = 0;
        int32_t assignment_epoch = 0;
        std::string_view assignor_name;
        Array<Member> members;
        int32_t authorized_operations = INT32_MIN;

        static void fields(auto& self, auto& f) {
            f(self.error_code);
            f(self.error_message);
            f(self.group_id);
            f(self.group_state);
            f(self.group_epoch);
            f(self.assignment_epoch);
            f(self.assignor_name);
            f(self.members);
            f(self.authorized_operations);
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Group> groups;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms);
        f(self.groups);
    }
};

}  // namespace rafka::protocol
