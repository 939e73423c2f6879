#pragma once

// Metadata records of topics, partitions, configs, quotas and producer ids.

#include "protocol/records/record.hpp"

namespace rafka::protocol {

struct TopicRecord {
    static constexpr auto schema = stored(2);

    std::string_view name;
    Uuid topic_id;

    static void fields(auto& self, auto& f) {
        f(self.name);
        f(self.topic_id);
    }
};

struct PartitionRecord {
    static constexpr auto schema = stored(3, 2);

    int32_t partition_id = -1;
    Uuid topic_id;
    Array<int32_t> replicas;
    Array<int32_t> isr;
    Array<int32_t> removing_replicas;
    Array<int32_t> adding_replicas;
    int32_t leader = -1;
    int8_t leader_recovery_state = 0;
    LeaderEpoch leader_epoch = -1;
    int32_t partition_epoch = -1;
    Array<Uuid> directories;  // In the order of `replicas`.
    std::optional<Array<int32_t>> eligible_leader_replicas;
    std::optional<Array<int32_t>> last_known_elr;

    static void fields(auto& self, auto& f) {
        f(self.partition_id);
        f(self.topic_id);
        f(self.replicas);
        f(self.isr);
        f(self.removing_replicas);
        f(self.adding_replicas);
        f(self.leader);
        f.tagged(0, self.leader_recovery_state, every);
        f(self.leader_epoch);
        f(self.partition_epoch);
        f(self.directories, since(1));
        f.tagged(1, self.eligible_leader_replicas, since(2));
        f.tagged(2, self.last_known_elr, since(2));
    }
};

// A delta; null is "no change". It carries no epochs: each record raises the partition's, one that names a leader the
// leader's as well.
struct PartitionChangeRecord {
    static constexpr auto schema = stored(5, 2);
    static constexpr int32_t same_leader = -2;

    int32_t partition_id = -1;
    Uuid topic_id;
    std::optional<Array<int32_t>> isr;
    int32_t leader = same_leader;
    std::optional<Array<int32_t>> replicas;
    std::optional<Array<int32_t>> removing_replicas;
    std::optional<Array<int32_t>> adding_replicas;
    int8_t leader_recovery_state = -1;
    std::optional<Array<int32_t>> eligible_leader_replicas;
    std::optional<Array<int32_t>> last_known_elr;
    std::optional<Array<Uuid>> directories;

    static void fields(auto& self, auto& f) {
        f(self.partition_id);
        f(self.topic_id);
        f.tagged(0, self.isr, every);
        f.tagged(1, self.leader, every);
        f.tagged(2, self.replicas, every);
        f.tagged(3, self.removing_replicas, every);
        f.tagged(4, self.adding_replicas, every);
        f.tagged(5, self.leader_recovery_state, every);
        f.tagged(6, self.eligible_leader_replicas, since(2));
        f.tagged(7, self.last_known_elr, since(2));
        f.tagged(8, self.directories, since(1));
    }
};

struct RemoveTopicRecord {
    static constexpr auto schema = stored(9);

    Uuid topic_id;

    static void fields(auto& self, auto& f) { f(self.topic_id); }
};

struct ClearElrRecord {
    static constexpr auto schema = stored(28);

    std::string_view topic_name;  // Empty: of every topic.

    static void fields(auto& self, auto& f) { f(self.topic_name); }
};

struct ConfigRecord {
    static constexpr auto schema = stored(4);

    int8_t resource_type = 0;
    std::string_view resource_name;
    std::string_view name;
    std::optional<std::string_view> value;  // Null deletes.

    static void fields(auto& self, auto& f) {
        f(self.resource_type);
        f(self.resource_name);
        f(self.name);
        f(self.value);
    }
};

struct ClientQuotaRecord {
    static constexpr auto schema = stored(14);

    struct Entity {
        std::string_view entity_type;
        std::optional<std::string_view> entity_name;  // Null: the default.

        static void fields(auto& self, auto& f) {
            f(self.entity_type);
            f(self.entity_name);
        }
    };

    Array<Entity> entity;
    std::string_view key;
    double value = 0;
    bool remove = false;

    static void fields(auto& self, auto& f) {
        f(self.entity);
        f(self.key);
        f(self.value);
        f(self.remove);
    }
};

struct ProducerIdsRecord {
    static constexpr auto schema = stored(15);

    int32_t broker_id = 0;
    int64_t broker_epoch = -1;
    int64_t next_producer_id = 0;  // The first of the next block.

    static void fields(auto& self, auto& f) {
        f(self.broker_id);
        f(self.broker_epoch);
        f(self.next_producer_id);
    }
};

}  // namespace rafka::protocol
