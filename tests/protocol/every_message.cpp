#include "protocol/every_message.hpp"

#include "protocol/messages/alter_configs.hpp"
#include "protocol/messages/api_versions.hpp"
#include "protocol/messages/create_partitions.hpp"
#include "protocol/messages/create_topics.hpp"
#include "protocol/messages/delete_topics.hpp"
#include "protocol/messages/describe_cluster.hpp"
#include "protocol/messages/describe_configs.hpp"
#include "protocol/messages/describe_topic_partitions.hpp"
#include "protocol/messages/fetch.hpp"
#include "protocol/messages/incremental_alter_configs.hpp"
#include "protocol/messages/init_producer_id.hpp"
#include "protocol/messages/list_offsets.hpp"
#include "protocol/messages/metadata.hpp"
#include "protocol/messages/offset_for_leader_epoch.hpp"
#include "protocol/messages/produce.hpp"
#include "protocol/records/control.hpp"
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
    return {kind, name_of<M>(), M::schema, sample<M>, rewrite<M>, describe<M>};
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

template <class... R>
void add_records(std::vector<AnyMessage>& list, std::variant<R...>*) {
    (list.push_back({Kind::record, name_of<R>(), R::schema, sample_record<R>, rewrite_record, describe_record}), ...);
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
        DescribeTopicPartitionsRequest>(list, Kind::request);
    add<ProduceResponse, FetchResponse, ListOffsetsResponse, MetadataResponse, ApiVersionsResponse, CreateTopicsResponse,
        DeleteTopicsResponse, InitProducerIdResponse, OffsetForLeaderEpochResponse, DescribeConfigsResponse,
        AlterConfigsResponse, CreatePartitionsResponse, IncrementalAlterConfigsResponse, DescribeClusterResponse,
        DescribeTopicPartitionsResponse>(list, Kind::response);
    add_records(list, static_cast<MetadataRecord*>(nullptr));
    add<LeaderChangeRecord, SnapshotHeaderRecord, SnapshotFooterRecord, KRaftVersionRecord, VotersRecord,
        EndTransactionMarker>(list, Kind::control);
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
    }
    return "";
}

}  // namespace rafka::protocol
