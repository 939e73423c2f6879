#pragma once

// The APIs rafka knows: one table, from which messages, headers, dispatch and the ApiVersions answer take their numbers.

#include "wire/fields.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace rafka::protocol {

using wire::Array;
using wire::between;
using wire::every;
using wire::nullable_since;
using wire::since;
using wire::until;

enum class ApiKey : int16_t {
    produce = 0,
    fetch = 1,
    list_offsets = 2,
    metadata = 3,
    offset_commit = 8,
    offset_fetch = 9,
    find_coordinator = 10,
    join_group = 11,
    heartbeat = 12,
    leave_group = 13,
    sync_group = 14,
    describe_groups = 15,
    list_groups = 16,
    api_versions = 18,
    create_topics = 19,
    delete_topics = 20,
    delete_records = 21,
    init_producer_id = 22,
    offset_for_leader_epoch = 23,
    describe_configs = 32,
    alter_configs = 33,
    describe_log_dirs = 35,
    create_partitions = 37,
    delete_groups = 42,
    elect_leaders = 43,
    incremental_alter_configs = 44,
    alter_partition_reassignments = 45,
    list_partition_reassignments = 46,
    offset_delete = 47,
    describe_client_quotas = 48,
    describe_quorum = 55,
    update_features = 57,
    describe_cluster = 60,
    describe_producers = 61,
    consumer_group_heartbeat = 68,
    consumer_group_describe = 69,
    list_config_resources = 74,
    describe_topic_partitions = 75,
};

inline constexpr int16_t unserved = -1;  // Its messages exist, its handler does not: no request is taken, none is offered.

struct Api {
    ApiKey key{};
    std::string_view name;
    int16_t oldest = 0;             // What our structs can read and write.
    int16_t newest = 0;
    int16_t flexible_from = 0;
    int16_t served_newest = 0;      // Kafka marks the ones above as unstable, or they are not for clients.
    int16_t advertised_oldest = 0;  // Below `oldest` only where old clients need to see it.

    constexpr bool is_served() const { return served_newest != unserved; }
    constexpr bool serves(int16_t version) const { return oldest <= version && version <= served_newest; }
    constexpr wire::Schema schema() const { return {int16_t(key), oldest, newest, flexible_from}; }
};

// Produce is advertised from 0 though 0-2 are refused: librdkafka before 2.11.1 sends nothing compressed otherwise.
inline constexpr Api apis[] = {
    {ApiKey::produce, "Produce", 3, 13, 9, 13, 0},
    {ApiKey::fetch, "Fetch", 4, 18, 12, 17, 4},
    {ApiKey::list_offsets, "ListOffsets", 1, 11, 6, 11, 1},
    {ApiKey::metadata, "Metadata", 0, 13, 9, 13, 0},
    {ApiKey::offset_commit, "OffsetCommit", 2, 10, 8, unserved, 2},
    {ApiKey::offset_fetch, "OffsetFetch", 1, 10, 6, unserved, 1},
    {ApiKey::find_coordinator, "FindCoordinator", 0, 6, 3, unserved, 0},
    {ApiKey::join_group, "JoinGroup", 0, 9, 6, unserved, 0},
    {ApiKey::heartbeat, "Heartbeat", 0, 4, 4, unserved, 0},
    {ApiKey::leave_group, "LeaveGroup", 0, 5, 4, unserved, 0},
    {ApiKey::sync_group, "SyncGroup", 0, 5, 4, unserved, 0},
    {ApiKey::describe_groups, "DescribeGroups", 0, 6, 5, unserved, 0},
    {ApiKey::list_groups, "ListGroups", 0, 5, 3, unserved, 0},
    {ApiKey::api_versions, "ApiVersions", 0, 4, 3, 4, 0},
    {ApiKey::create_topics, "CreateTopics", 2, 7, 5, 7, 2},
    {ApiKey::delete_topics, "DeleteTopics", 1, 6, 4, 6, 1},
    {ApiKey::delete_records, "DeleteRecords", 0, 2, 2, unserved, 0},
    {ApiKey::init_producer_id, "InitProducerId", 0, 6, 2, 5, 0},
    {ApiKey::offset_for_leader_epoch, "OffsetForLeaderEpoch", 2, 4, 4, 4, 2},
    {ApiKey::describe_configs, "DescribeConfigs", 1, 4, 4, 4, 1},
    {ApiKey::alter_configs, "AlterConfigs", 0, 2, 2, 2, 0},
    {ApiKey::describe_log_dirs, "DescribeLogDirs", 1, 5, 2, unserved, 1},
    {ApiKey::create_partitions, "CreatePartitions", 0, 3, 2, 3, 0},
    {ApiKey::delete_groups, "DeleteGroups", 0, 2, 2, unserved, 0},
    {ApiKey::elect_leaders, "ElectLeaders", 0, 2, 2, unserved, 0},
    {ApiKey::incremental_alter_configs, "IncrementalAlterConfigs", 0, 1, 1, 1, 0},
    {ApiKey::alter_partition_reassignments, "AlterPartitionReassignments", 0, 1, 0, unserved, 0},
    {ApiKey::list_partition_reassignments, "ListPartitionReassignments", 0, 0, 0, unserved, 0},
    {ApiKey::offset_delete, "OffsetDelete", 0, 0, INT16_MAX, unserved, 0},
    {ApiKey::describe_client_quotas, "DescribeClientQuotas", 0, 1, 1, unserved, 0},
    {ApiKey::describe_quorum, "DescribeQuorum", 0, 2, 0, unserved, 0},
    {ApiKey::update_features, "UpdateFeatures", 0, 2, 0, unserved, 0},
    {ApiKey::describe_cluster, "DescribeCluster", 0, 2, 0, 2, 0},
    {ApiKey::describe_producers, "DescribeProducers", 0, 0, 0, unserved, 0},
    {ApiKey::consumer_group_heartbeat, "ConsumerGroupHeartbeat", 0, 1, 0, unserved, 0},
    {ApiKey::consumer_group_describe, "ConsumerGroupDescribe", 0, 1, 0, unserved, 0},
    {ApiKey::list_config_resources, "ListConfigResources", 0, 1, 0, unserved, 0},
    {ApiKey::describe_topic_partitions, "DescribeTopicPartitions", 0, 0, 0, 0, 0},
};

// Null for an API that we do not have.
constexpr const Api* find_api(int16_t key) {
    for (auto& api : apis) {
        if (int16_t(api.key) == key) return &api;
    }
    return nullptr;
}

consteval wire::Schema schema_of(ApiKey key) { return find_api(int16_t(key))->schema(); }

// Whether a request of that version has tagged fields, and so has the later form of the headers; for the answer see
// flexible_response_header. False for an API that we do not have: its frame is not read any further.
constexpr bool flexible_request(int16_t key, int16_t version) {
    auto* api = find_api(key);
    return api && version >= api->flexible_from;
}

// ApiVersions always answers with the first form, since the client does not know yet what we speak.
constexpr bool flexible_response_header(int16_t key, int16_t version) {
    return key != int16_t(ApiKey::api_versions) && flexible_request(key, version);
}

}  // namespace rafka::protocol
