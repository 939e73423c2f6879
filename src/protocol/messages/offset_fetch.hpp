#pragma once

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "wire/message.hpp"

namespace rafka::protocol {

struct OffsetFetchRequest {
    static constexpr auto schema = schema_of(ApiKey::offset_fetch);

    struct Topic {
        std::string_view name;
        Uuid topic_id;
        Array<int32_t> partition_indexes;

        static void fields(auto& self, auto& f) {
            f(self.name, until(9));
            f(self.topic_id, since(10));
            f(self.partition_indexes);
        }
    };

    struct Group {
        std::string_view group_id;
        std::optional<std::string_view> member_id;
        int32_t member_epoch = -1;
        std::optional<Array<Topic>> topics;  // Null: all that has an offset.

        static void fields(auto& self, auto& f) {
            f(self.group_id);
            f(self.member_id, since(9));
            f(self.member_epoch, since(9));
            f(self.topics);
        }
    };

    std::string_view group_id;
    std::optional<Array<Topic>> topics;
    Array<Group> groups;
    bool require_stable = false;

    static void fields(auto& self, auto& f) {
        f(self.group_id, until(7));
        f(self.topics, until(7).nullable_since(2));
        f(self.groups, since(8));
        f(self.require_stable, since(7));
    }
};

struct OffsetFetchResponse {
    static constexpr auto schema = schema_of(ApiKey::offset_fetch);

    struct Partition {
        int32_t partition_index = 0;
        Offset committed_offset;
        LeaderEpoch committed_leader_epoch = -1;
        std::optional<std::string_view> metadata;
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& self, auto& f) {
            f(self.partition_index);
            f(self.committed_offset);
            f(self.committed_leader_epoch, since(5));
            f(self.metadata);
            f(self.error_code);
        }
    };

    struct Topic {
        std::string_view name;
        Uuid topic_id;
        Array<Partition> partitions;

        static void fields(auto& self, auto& f) {
            f(self.name, until(9));
            f(self.topic_id, since(10));
            f(self.partitions);
        }
    };

    struct Group {
        std::string_view group_id;
        Array<Topic> topics;
        ErrorCode error_code = ErrorCode::none;

        static void fields(auto& self, auto& f) {
            f(self.group_id);
            f(self.topics);
            f(self.error_code);
        }
    };

    int32_t throttle_time_ms = 0;
    Array<Topic> topics;
    ErrorCode error_code = ErrorCode::none;
    Array<Group> groups;

    static void fields(auto& self, auto& f) {
        f(self.throttle_time_ms, since(3));
        f(self.topics, until(7));
        f(self.error_code, between(2, 7));
        f(self.groups, since(8));
    }
};

}  // namespace rafka::protocol
