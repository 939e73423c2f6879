#pragma once

// Records of __consumer_offsets: committed offsets and the state of groups.
//
//   key    int16 type, then the fields of version 0, not flexible
//   value  int16 version, then the fields; null deletes what the key names
//
// Who meets a type that he does not know skips the record; a version that he does not know is an error.

#include "protocol/records/record.hpp"

#include "base/endian.hpp"

#include <string>
#include <variant>

namespace rafka::protocol {

constexpr wire::Schema group_key(int16_t type) { return {type, 0, 0, INT16_MAX}; }

struct OffsetCommitKey {
    static constexpr auto schema = group_key(1);  // Kafka before 0.9 wrote type 0.

    std::string_view group;
    std::string_view topic;
    int32_t partition = 0;

    static void fields(auto& self, auto& f) {
        f(self.group);
        f(self.topic);
        f(self.partition);
    }
};

struct OffsetCommitValue {
    static constexpr wire::Schema schema{1, 0, 4, 4};

    Offset offset;
    LeaderEpoch leader_epoch = -1;
    std::string_view metadata;
    Timestamp commit_timestamp;
    Timestamp expire_timestamp = no_timestamp;
    Uuid topic_id;

    static void fields(auto& self, auto& f) {
        f(self.offset);
        f(self.leader_epoch, since(3));
        f(self.metadata);
        f(self.commit_timestamp);
        f(self.expire_timestamp, between(1, 1));
        f.tagged(0, self.topic_id, since(4));
    }
};

struct GroupMetadataKey {
    static constexpr auto schema = group_key(2);

    std::string_view group;

    static void fields(auto& self, auto& f) { f(self.group); }
};

// A group of the classic protocol.
struct GroupMetadataValue {
    static constexpr wire::Schema schema{2, 0, 4, 4};

    struct Member {
        std::string_view member_id;
        std::optional<std::string_view> group_instance_id;
        std::string_view client_id;
        std::string_view client_host;
        int32_t rebalance_timeout = -1;
        int32_t session_timeout = 0;
        Bytes subscription;
        Bytes assignment;

        static void fields(auto& self, auto& f) {
            f(self.member_id);
            f(self.group_instance_id, since(3));
            f(self.client_id);
            f(self.client_host);
            f(self.rebalance_timeout, since(1));
            f(self.session_timeout);
            f(self.subscription);
            f(self.assignment);
        }
    };

    std::string_view protocol_type;
    int32_t generation = 0;
    std::optional<std::string_view> protocol;
    std::optional<std::string_view> leader;
    Timestamp current_state_timestamp = no_timestamp;
    Array<Member> members;

    static void fields(auto& self, auto& f) {
        f(self.protocol_type);
        f(self.generation);
        f(self.protocol);
        f(self.leader);
        f(self.current_state_timestamp, since(2));
        f(self.members);
    }
};

// The rest is of groups of the consumer protocol (KIP-848).

struct ConsumerGroupMetadataKey {
    static constexpr auto schema = group_key(3);

    std::string_view group_id;

    static void fields(auto& self, auto& f) { f(self.group_id); }
};

struct ConsumerGroupMetadataValue {
    static constexpr wire::Schema schema{3, 0, 0, 0};

    int32_t epoch = 0;
    int64_t metadata_hash = 0;

    static void fields(auto& self, auto& f) {
        f(self.epoch);
        f.tagged(0, self.metadata_hash, every);
    }
};

// Only Kafka 4.0 wrote it; later ones delete it when they meet it.
struct ConsumerGroupPartitionMetadataKey {
    static constexpr auto schema = group_key(4);

    std::string_view group_id;

    static void fields(auto& self, auto& f) { f(self.group_id); }
};

struct ConsumerGroupPartitionMetadataValue {
    static constexpr wire::Schema schema{4, 0, 0, 0};

    struct Partition {
        int32_t partition = 0;
        Array<std::string_view> racks;

        static void fields(auto& self, auto& f) {
            f(self.partition);
            f(self.racks);
        }
    };

    struct Topic {
        Uuid topic_id;
        std::string_view topic_name;
        int32_t num_partitions = 0;
        Array<Partition> partition_metadata;

        static void fields(auto& self, auto& f) {
            f(self.topic_id);
            f(self.topic_name);
            f(self.num_partitions);
            f(self.partition_metadata);
        }
    };

    Array<Topic> topics;

    static void fields(auto& self, auto& f) { f(self.topics); }
};

struct ConsumerGroupMemberMetadataKey {
    static constexpr auto schema = group_key(5);

    std::string_view group_id;
    std::string_view member_id;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.member_id);
    }
};

// Of a member that speaks the classic protocol in a group of the new one.
struct ClassicMemberMetadata {
    struct Protocol {
        std::string_view name;
        Bytes metadata;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.metadata);
        }
    };

    int32_t session_timeout_ms = 0;
    Array<Protocol> supported_protocols;

    // Whether both are the default, the only case that the encoding asks about.
    friend bool operator==(const ClassicMemberMetadata& a, const ClassicMemberMetadata& b) {
        return a.session_timeout_ms == b.session_timeout_ms && a.supported_protocols.empty() && b.supported_protocols.empty();
    }
    static void fields(auto& self, auto& f) {
        f(self.session_timeout_ms);
        f(self.supported_protocols);
    }
};

struct ConsumerGroupMemberMetadataValue {
    static constexpr wire::Schema schema{5, 0, 0, 0};

    std::optional<std::string_view> instance_id;
    std::optional<std::string_view> rack_id;
    std::string_view client_id;
    std::string_view client_host;
    Array<std::string_view> subscribed_topic_names;
    std::optional<std::string_view> subscribed_topic_regex;
    int32_t rebalance_timeout_ms = -1;
    std::optional<std::string_view> server_assignor;
    std::optional<ClassicMemberMetadata> classic_member = ClassicMemberMetadata();  // Null, and written so, if it is none.

    static void fields(auto& self, auto& f) {
        f(self.instance_id);
        f(self.rack_id);
        f(self.client_id);
        f(self.client_host);
        f(self.subscribed_topic_names);
        f(self.subscribed_topic_regex);
        f(self.rebalance_timeout_ms);
        f(self.server_assignor);
        f.tagged(0, self.classic_member, every);
    }
};

struct ConsumerGroupTargetAssignmentMetadataKey {
    static constexpr auto schema = group_key(6);

    std::string_view group_id;

    static void fields(auto& self, auto& f) { f(self.group_id); }
};

struct ConsumerGroupTargetAssignmentMetadataValue {
    static constexpr wire::Schema schema{6, 0, 0, 0};

    int32_t assignment_epoch = 0;
    Timestamp assignment_timestamp;

    static void fields(auto& self, auto& f) {
        f(self.assignment_epoch);
        f.tagged(0, self.assignment_timestamp, every);
    }
};

struct ConsumerGroupTargetAssignmentMemberKey {
    static constexpr auto schema = group_key(7);

    std::string_view group_id;
    std::string_view member_id;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.member_id);
    }
};

struct ConsumerGroupTargetAssignmentMemberValue {
    static constexpr wire::Schema schema{7, 0, 0, 0};

    struct TopicPartition {
        Uuid topic_id;
        Array<int32_t> partitions;

        static void fields(auto& self, auto& f) {
            f(self.topic_id);
            f(self.partitions);
        }
    };

    Array<TopicPartition> topic_partitions;

    static void fields(auto& self, auto& f) { f(self.topic_partitions); }
};

struct ConsumerGroupCurrentMemberAssignmentKey {
    static constexpr auto schema = group_key(8);

    std::string_view group_id;
    std::string_view member_id;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.member_id);
    }
};

struct ConsumerGroupCurrentMemberAssignmentValue {
    static constexpr wire::Schema schema{8, 0, 0, 0};

    struct TopicPartitions {
        Uuid topic_id;
        Array<int32_t> partitions;
        std::optional<Array<int32_t>> assignment_epochs = Array<int32_t>();  // In the order of `partitions`.

        static void fields(auto& self, auto& f) {
            f(self.topic_id);
            f(self.partitions);
            f.tagged(0, self.assignment_epochs, every);
        }
    };

    int32_t member_epoch = 0;
    int32_t previous_member_epoch = 0;
    int8_t state = 0;  // 0 stable, 1 has partitions to revoke, 2 waits for partitions that others hold.
    Array<TopicPartitions> assigned_partitions;
    Array<TopicPartitions> partitions_pending_revocation;

    static void fields(auto& self, auto& f) {
        f(self.member_epoch);
        f(self.previous_member_epoch);
        f(self.state);
        f(self.assigned_partitions);
        f(self.partitions_pending_revocation);
    }
};

struct ConsumerGroupRegularExpressionKey {
    static constexpr auto schema = group_key(16);

    std::string_view group_id;
    std::string_view regular_expression;

    static void fields(auto& self, auto& f) {
        f(self.group_id);
        f(self.regular_expression);
    }
};

// What the expression matched.
struct ConsumerGroupRegularExpressionValue {
    static constexpr wire::Schema schema{16, 0, 0, 0};

    Array<std::string_view> topics;
    int64_t version = 0;  // Of the metadata image.
    Timestamp timestamp;

    static void fields(auto& self, auto& f) {
        f(self.topics);
        f(self.version);
        f(self.timestamp);
    }
};

using GroupKey =
    std::variant<OffsetCommitKey, GroupMetadataKey, ConsumerGroupMetadataKey, ConsumerGroupPartitionMetadataKey,
                 ConsumerGroupMemberMetadataKey, ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMemberKey,
                 ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupRegularExpressionKey>;

// Views of `key`. Errors: unsupported (a type that we do not know), malformed.
Result<GroupKey> read_group_key(Bytes key, wire::Arena& arena);

template <class K>
void write_group_key(wire::Payload& out, const K& key) {
    std::array<std::byte, 2> type;
    store_be(type.data(), K::schema.key);
    out.append(type);
    wire::write(out, key, 0);
}

// Views of `value`; arrays in `arena`. Errors: unsupported (version), malformed.
template <class V>
Result<V> read_group_value(Bytes value, wire::Arena& arena) {
    if (value.size() < 2) return fail(Errc::malformed);
    auto version = load_be<int16_t>(value.data());
    if (!V::schema.contains(version)) return fail(Errc::unsupported);
    return wire::read<V>(value.subspan(2), arena, version);
}

template <class V>
void write_group_value(wire::Payload& out, const V& value, int16_t version) {
    std::array<std::byte, 2> prefix;
    store_be(prefix.data(), version);
    out.append(prefix);
    wire::write(out, value, version);
}

}  // namespace rafka::protocol
