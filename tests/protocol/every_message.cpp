#include "protocol/every_message.hpp"

#include "protocol/messages/alter_configs.hpp"
#include "protocol/messages/alter_partition_reassignments.hpp"
#include "protocol/messages/api_versions.hpp"
#include "protocol/messages/consumer_group_describe.hpp"
#include "protocol/messages/consumer_group_heartbeat.hpp"
#include "protocol/messages/create_partitions.hpp"
#include "protocol/messages/create_topics.hpp"
#include "protocol/messages/delete_groups.hpp"
#include "protocol/messages/delete_records.hpp"
#include "protocol/messages/delete_topics.hpp"
#include "protocol/messages/describe_client_quotas.hpp"
#include "protocol/messages/describe_cluster.hpp"
#include "protocol/messages/describe_configs.hpp"
#include "protocol/messages/describe_groups.hpp"
#include "protocol/messages/describe_log_dirs.hpp"
#include "protocol/messages/describe_producers.hpp"
#include "protocol/messages/describe_quorum.hpp"
#include "protocol/messages/describe_topic_partitions.hpp"
#include "protocol/messages/elect_leaders.hpp"
#include "protocol/messages/fetch.hpp"
#include "protocol/messages/find_coordinator.hpp"
#include "protocol/messages/heartbeat.hpp"
#include "protocol/messages/incremental_alter_configs.hpp"
#include "protocol/messages/init_producer_id.hpp"
#include "protocol/messages/join_group.hpp"
#include "protocol/messages/leave_group.hpp"
#include "protocol/messages/list_config_resources.hpp"
#include "protocol/messages/list_groups.hpp"
#include "protocol/messages/list_offsets.hpp"
#include "protocol/messages/list_partition_reassignments.hpp"
#include "protocol/messages/metadata.hpp"
#include "protocol/messages/offset_commit.hpp"
#include "protocol/messages/offset_delete.hpp"
#include "protocol/messages/offset_fetch.hpp"
#include "protocol/messages/offset_for_leader_epoch.hpp"
#include "protocol/messages/produce.hpp"
#include "protocol/messages/sync_group.hpp"
#include "protocol/messages/update_features.hpp"
#include "protocol/records/control.hpp"
#include "protocol/records/groups.hpp"
#include "protocol/records/metadata.hpp"

#include "wire/fill.hpp"

namespace rafka::protocol {

namespace {

using Kind = AnyMessage::Kind;

template <class M>
std::vector<std::byte> sample(uint64_t seed, int16_t version) {
    wire::Arena arena;
    M message;
    wire::Filler(seed, arena, version).part(message);
    wire::Payload out;
    wire::write(out, message, version);
    return out.copy();
}

template <class M>
Result<std::vector<std::byte>> rewrite(Bytes bytes, int16_t version) {
    wire::Arena arena;
    auto message = wire::read<M>(bytes, arena, version);
    if (!message) return fail(message.error());
    wire::Payload out;
    wire::write(out, *message, version);
    return out.copy();
}

template <class M>
Result<std::string> describe(Bytes bytes, int16_t version) {
    wire::Arena arena;
    auto message = wire::read<M>(bytes, arena, version);
    if (!message) return fail(message.error());
    return wire::describe(*message, version);
}

template <class M>
size_t memory(Bytes bytes, int16_t version) {
    wire::Arena arena;
    (void)wire::read<M>(bytes, arena, version);
    return arena.used();
}

// The name of the type without its namespace.
template <class M>
std::string name_of() {
    std::string_view text = __PRETTY_FUNCTION__;  // "... [with M = rafka::protocol::FetchRequest; ...]"
    text = text.substr(text.find("M = ") + 4);
    text = text.substr(0, text.find_first_of(";]"));
    return std::string(text.substr(text.rfind(':') + 1));
}

template <class M>
AnyMessage any(Kind kind) {
    return {kind, name_of<M>(), M::schema, sample<M>, rewrite<M>, describe<M>, memory<M>};
}

// A stored record is sampled with its frame, and read by the function that finds its type.
template <class R>
std::vector<std::byte> sample_record(uint64_t seed, int16_t version) {
    wire::Arena arena;
    R record;
    wire::Filler(seed, arena, version).part(record);
    wire::Payload out;
    write_metadata_record(out, record, version);
    return out.copy();
}

Result<std::vector<std::byte>> rewrite_record(Bytes bytes, int16_t) {
    wire::Arena arena;
    TRY(auto read, read_metadata_record(bytes, arena));
    wire::Payload out;
    write_metadata_record(out, read.record, read.version);
    return out.copy();
}

Result<std::string> describe_record(Bytes bytes, int16_t) {
    wire::Arena arena;
    TRY(auto read, read_metadata_record(bytes, arena));
    return protocol::describe(read.record, read.version);
}

size_t memory_of_record(Bytes bytes, int16_t) {
    wire::Arena arena;
    (void)read_metadata_record(bytes, arena);
    return arena.used();
}

template <class... R>
void add_records(std::vector<AnyMessage>& list, std::variant<R...>*) {
    (list.push_back({Kind::record, name_of<R>(), R::schema, sample_record<R>, rewrite_record, describe_record, memory_of_record}), ...);
}

// Keys and values of groups are sampled with their first two bytes, the type and the version.
template <class K>
std::vector<std::byte> sample_key(uint64_t seed, int16_t version) {
    wire::Arena arena;
    K key;
    wire::Filler(seed, arena, version).part(key);
    wire::Payload out;
    write_group_key(out, key);
    return out.copy();
}

Result<std::vector<std::byte>> rewrite_key(Bytes bytes, int16_t) {
    wire::Arena arena;
    TRY(auto key, read_group_key(bytes, arena));
    wire::Payload out;
    std::visit([&](auto& any) { write_group_key(out, any); }, key);
    return out.copy();
}

Result<std::string> describe_key(Bytes bytes, int16_t version) {
    wire::Arena arena;
    TRY(auto key, read_group_key(bytes, arena));
    return std::visit([&](auto& any) { return wire::describe(any, version); }, key);
}

template <class V>
std::vector<std::byte> sample_value(uint64_t seed, int16_t version) {
    wire::Arena arena;
    V value;
    wire::Filler(seed, arena, version).part(value);
    wire::Payload out;
    write_group_value(out, value, version);
    return out.copy();
}

template <class V>
Result<std::vector<std::byte>> rewrite_value(Bytes bytes, int16_t version) {
    wire::Arena arena;
    TRY(auto value, read_group_value<V>(bytes, arena));
    wire::Payload out;
    write_group_value(out, value, version);
    return out.copy();
}

template <class V>
Result<std::string> describe_value(Bytes bytes, int16_t version) {
    wire::Arena arena;
    TRY(auto value, read_group_value<V>(bytes, arena));
    return wire::describe(value, version);
}

template <class... K>
void add_keys(std::vector<AnyMessage>& list, std::variant<K...>*) {
    (list.push_back({Kind::group_key, name_of<K>(), K::schema, sample_key<K>, rewrite_key, describe_key}), ...);
}

template <class... V>
void add_values(std::vector<AnyMessage>& list) {
    (list.push_back({Kind::group_value, name_of<V>(), V::schema, sample_value<V>, rewrite_value<V>, describe_value<V>}), ...);
}

template <class... M>
void add(std::vector<AnyMessage>& list, Kind kind) {
    (list.push_back(any<M>(kind)), ...);
}

std::vector<AnyMessage> collect() {
    std::vector<AnyMessage> list;
    add<ProduceRequest, FetchRequest, ListOffsetsRequest, MetadataRequest, ApiVersionsRequest, CreateTopicsRequest,
        DeleteTopicsRequest, InitProducerIdRequest, OffsetForLeaderEpochRequest, DescribeConfigsRequest,
        AlterConfigsRequest, CreatePartitionsRequest, IncrementalAlterConfigsRequest, DescribeClusterRequest,
        DescribeTopicPartitionsRequest, OffsetCommitRequest, OffsetFetchRequest, FindCoordinatorRequest,
        JoinGroupRequest, HeartbeatRequest, LeaveGroupRequest, SyncGroupRequest, DescribeGroupsRequest,
        ListGroupsRequest, DeleteRecordsRequest, DescribeLogDirsRequest, DeleteGroupsRequest, ElectLeadersRequest,
        AlterPartitionReassignmentsRequest, ListPartitionReassignmentsRequest, OffsetDeleteRequest,
        DescribeClientQuotasRequest, DescribeQuorumRequest, UpdateFeaturesRequest, DescribeProducersRequest,
        ConsumerGroupHeartbeatRequest, ConsumerGroupDescribeRequest, ListConfigResourcesRequest>(list, Kind::request);
    add<ProduceResponse, FetchResponse, ListOffsetsResponse, MetadataResponse, ApiVersionsResponse,
        CreateTopicsResponse, DeleteTopicsResponse, InitProducerIdResponse, OffsetForLeaderEpochResponse,
        DescribeConfigsResponse, AlterConfigsResponse, CreatePartitionsResponse, IncrementalAlterConfigsResponse,
        DescribeClusterResponse, DescribeTopicPartitionsResponse, OffsetCommitResponse, OffsetFetchResponse,
        FindCoordinatorResponse, JoinGroupResponse, HeartbeatResponse, LeaveGroupResponse, SyncGroupResponse,
        DescribeGroupsResponse, ListGroupsResponse, DeleteRecordsResponse, DescribeLogDirsResponse,
        DeleteGroupsResponse, ElectLeadersResponse, AlterPartitionReassignmentsResponse,
        ListPartitionReassignmentsResponse, OffsetDeleteResponse, DescribeClientQuotasResponse, DescribeQuorumResponse,
        UpdateFeaturesResponse, DescribeProducersResponse, ConsumerGroupHeartbeatResponse,
        ConsumerGroupDescribeResponse, ListConfigResourcesResponse>(list, Kind::response);
    add_records(list, static_cast<MetadataRecord*>(nullptr));
    add<LeaderChangeRecord, SnapshotHeaderRecord, SnapshotFooterRecord, KRaftVersionRecord, VotersRecord,
        EndTransactionMarker>(list, Kind::control);
    add_keys(list, static_cast<GroupKey*>(nullptr));
    add_values<OffsetCommitValue, GroupMetadataValue, ConsumerGroupMetadataValue, ConsumerGroupPartitionMetadataValue,
               ConsumerGroupMemberMetadataValue, ConsumerGroupTargetAssignmentMetadataValue,
               ConsumerGroupTargetAssignmentMemberValue, ConsumerGroupCurrentMemberAssignmentValue,
               ConsumerGroupRegularExpressionValue>(list);
    return list;
}

}  // namespace

std::span<const AnyMessage> every_message() {
    static const auto list = collect();
    return list;
}

std::string_view to_text(Kind kind) {
    switch (kind) {
        case Kind::request: return "request";
        case Kind::response: return "response";
        case Kind::record: return "record";
        case Kind::control: return "control";
        case Kind::group_key: return "group_key";
        case Kind::group_value: return "group_value";
    }
    return "";
}

}  // namespace rafka::protocol
