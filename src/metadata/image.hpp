#pragma once

// The state of the cluster as of one committed metadata record: an immutable value that every loop may read. A new one
// is made from an old one and a run of records (delta.hpp), shares what did not change, and is published by swapping an
// ImagePtr. Everything a Kafka directory's metadata holds is kept, also what nothing here uses yet, so that a snapshot
// written from an image loses nothing.

#include "metadata/config_table.hpp"
#include "metadata/controller_client.hpp"
#include "metadata/shared_set.hpp"

#include <rafka/types.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rafka::metadata {

struct Endpoint {
    std::string name;                // Of the listener.
    std::string host;
    uint16_t port = 0;
    int16_t security_protocol = 0;   // PLAINTEXT 0, SSL 1, SASL_PLAINTEXT 2, SASL_SSL 3.

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct FeatureRange {
    std::string name;
    int16_t min = 0;
    int16_t max = 0;

    friend bool operator==(const FeatureRange&, const FeatureRange&) = default;
};

// A broker's registration.
struct Broker {
    int32_t id = -1;
    int64_t epoch = -1;  // Offset of its RegisterBroker record.
    Uuid incarnation;
    bool is_migrating_zk_broker = false;
    std::vector<Endpoint> endpoints;
    std::vector<FeatureRange> features;
    std::optional<std::string> rack;
    bool fenced = true;
    bool in_controlled_shutdown = false;
    std::vector<Uuid> directories;
    std::optional<std::vector<Uuid>> cordoned_directories;  // Null until the broker told.

    const Endpoint* endpoint(std::string_view listener) const;
    friend bool operator==(const Broker&, const Broker&) = default;
};

struct ControllerRegistration {
    int32_t id = -1;
    Uuid incarnation;
    bool zk_migration_ready = false;
    std::vector<Endpoint> endpoints;
    std::vector<FeatureRange> features;

    friend bool operator==(const ControllerRegistration&, const ControllerRegistration&) = default;
};

inline constexpr int32_t no_leader = -1;

struct PartitionState {
    std::vector<int32_t> replicas;   // The preferred leader first.
    std::vector<int32_t> isr;
    std::vector<int32_t> removing_replicas;
    std::vector<int32_t> adding_replicas;
    std::vector<int32_t> eligible_leader_replicas;
    std::vector<int32_t> last_known_elr;
    std::vector<Uuid> directories;   // As long as `replicas`; zero ids where the record was older than assignment.
    int32_t leader = no_leader;
    int8_t leader_recovery_state = 0;  // RECOVERED 0, RECOVERING 1.
    LeaderEpoch leader_epoch = 0;
    int32_t partition_epoch = 0;

    friend bool operator==(const PartitionState&, const PartitionState&) = default;
};

struct Topic {
    std::string name;
    Uuid id;
    std::vector<PartitionState> partitions;  // By partition index, without a gap.

    friend bool operator==(const Topic&, const Topic&) = default;
};
using TopicPtr = std::shared_ptr<const Topic>;

// What was set for one resource. Resource name "" of type broker is the default of all brokers.
struct Config {
    ResourceType type{};
    std::string name;
    ConfigMap values;

    friend bool operator==(const Config&, const Config&) = default;
};

struct AccessControl {
    Uuid id;
    int8_t resource_type = 0;
    std::string resource_name;
    int8_t pattern_type = 0;
    std::string principal;
    std::string host;
    int8_t operation = 0;
    int8_t permission = 0;

    friend bool operator==(const AccessControl&, const AccessControl&) = default;
};

struct ScramCredential {
    std::string user;
    int8_t mechanism = 0;  // SHA-256 1, SHA-512 2.
    std::vector<std::byte> salt;
    std::vector<std::byte> stored_key;
    std::vector<std::byte> server_key;
    int32_t iterations = 0;

    friend bool operator==(const ScramCredential&, const ScramCredential&) = default;
};

struct DelegationToken {
    std::string owner;
    std::string requester;
    std::vector<std::string> renewers;
    int64_t issued_ms = 0;
    int64_t max_ms = 0;
    int64_t expires_ms = 0;
    std::string id;

    friend bool operator==(const DelegationToken&, const DelegationToken&) = default;
};

// Limits of one entity, such as (user, client-id); a null name is that type's default entity.
struct ClientQuota {
    std::vector<std::pair<std::string, std::optional<std::string>>> entity;  // Sorted by type.
    std::vector<std::pair<std::string, double>> limits;                      // Sorted by key.

    friend bool operator==(const ClientQuota&, const ClientQuota&) = default;
};

// Finalized feature levels, metadata.version among them, sorted by name; level 0 is absence.
struct Features {
    std::vector<std::pair<std::string, int16_t>> levels;

    int16_t level(std::string_view name) const;
    friend bool operator==(const Features&, const Features&) = default;
};

struct ProducerIds {
    int32_t broker_id = -1;      // Who asked for the last block.
    int64_t broker_epoch = -1;
    int64_t next = -1;           // First id of the next block; -1: none was ever given.

    friend bool operator==(const ProducerIds&, const ProducerIds&) = default;
};

struct NameOf {
    const std::string& operator()(const Topic& topic) const { return topic.name; }
};
struct IdOf {
    template <class T>
    const auto& operator()(const T& thing) const { return thing.id; }
};
struct ResourceOf {
    std::pair<ResourceType, std::string_view> operator()(const Config& config) const { return {config.type, config.name}; }
};
struct UserOf {
    std::pair<std::string_view, int8_t> operator()(const ScramCredential& x) const { return {x.user, x.mechanism}; }
};
struct EntityOf {
    const auto& operator()(const ClientQuota& quota) const { return quota.entity; }
};

struct Image {
    // Where in the metadata log this is: the last record it contains. Finalized features carry the offset as their epoch.
    Offset offset = no_offset;
    LeaderEpoch epoch = -1;
    Timestamp time = no_timestamp;
    uint64_t generation = 0;  // Images made before this one; see SharedSet::put.

    Features features;
    SharedSet<Broker, IdOf> brokers;
    SharedSet<ControllerRegistration, IdOf> controllers;
    SharedSet<Topic, NameOf> topics;        // Sorted by name.
    SharedSet<Topic, IdOf> topics_by_id;    // The same objects.
    SharedSet<Config, ResourceOf> configs;  // Only resources with a value.
    SharedSet<AccessControl, IdOf> acls;
    SharedSet<ScramCredential, UserOf> scram;
    SharedSet<DelegationToken, IdOf> tokens;
    SharedSet<ClientQuota, EntityOf> quotas;
    ProducerIds producer_ids;

    // Null: not there.
    const Topic* topic(std::string_view name) const { return topics.find(name); }
    const Topic* topic(const Uuid& id) const { return topics_by_id.find(id); }
    const PartitionState* partition(const PartitionKey& key) const;
    const Config* config(ResourceType type, std::string_view name) const { return configs.find(std::pair(type, name)); }
    const Broker* broker(int32_t id) const { return brokers.find(id); }
};

// Shared by every reader for as long as it looks; the one object of the project that has no single owner.
using ImagePtr = std::shared_ptr<const Image>;

// What a run of records changed, so that acting on it costs O(change). Order within the lists is that of the records.
// A topic that came and went within the run is in neither list.
struct Changes {
    struct Partitions {
        TopicPtr topic;     // As it is now.
        int32_t first = 0;  // New are [first, topic->partitions.size()).
    };
    struct Resource {
        ResourceType type{};
        std::string name;
    };

    std::vector<TopicPtr> created;
    std::vector<TopicPtr> deleted;            // As they were.
    std::vector<Partitions> grown;            // Topics that were there before and have more partitions now.
    std::vector<PartitionKey> altered;        // Leader, ISR, replicas or directories of partitions that were there before.
    std::vector<Resource> configs;            // Whatever was set or removed; the values are in the image.
    bool brokers = false;
    bool features = false;
    bool others = false;                      // ACLs, SCRAM, tokens, quotas, controllers, producer ids.
};

// Whether two images say the same of the cluster, wherever in the log they are. For tests and for debug builds.
bool same_state(const Image& a, const Image& b);

}  // namespace rafka::metadata
