#include "broker/broker.hpp"
#include "broker/gather.hpp"
#include "broker/handlers/by_loop.hpp"
#include "broker/handlers/handlers.hpp"
#include "protocol/messages/list_offsets.hpp"

#include <algorithm>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::ErrorCode;
using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;

// Times below zero that name a position.
enum Position : int64_t { latest = -1, earliest = -2, max_timestamp = -3, earliest_local = -4, latest_tiered = -5, earliest_pending_upload = -6 };

bool is_known(int64_t time, int16_t version) {
    switch (time) {
        case latest:
        case earliest: return true;
        case max_timestamp: return version >= 7;
        case earliest_local: return version >= 8;
        case latest_tiered: return version >= 9;
        case earliest_pending_upload: return version >= 11;
        default: return time >= 0;
    }
}

struct Lookup {
    PartitionKey key;
    Timestamp time;
    LeaderEpoch current_leader_epoch = -1;
    ListOffsetsResponse::Partition* answer = nullptr;
};

ErrorCode check_epoch(const Partition& partition, LeaderEpoch asked) {
    if (asked == -1 || asked == partition.leader_epoch()) return ErrorCode::none;
    return asked < partition.leader_epoch() ? ErrorCode::fenced_leader_epoch : ErrorCode::unknown_leader_epoch;
}

void put(ListOffsetsResponse::Partition& answer, const OffsetAndTimestamp& found) {
    answer.offset = found.offset;
    answer.timestamp = found.timestamp;
    answer.leader_epoch = found.leader_epoch;
}

// On the partition's loop.
Task<> look_up(Engine& engine, Lookup& lookup, Isolation isolation, bool is_replica) {
    auto& answer = *lookup.answer;
    auto* partition = engine.find(lookup.key);
    if (!partition) {
        answer.error_code = ErrorCode::not_leader_or_follower;
        co_return;
    }
    answer.error_code = check_epoch(*partition, lookup.current_leader_epoch);
    if (answer.error_code != ErrorCode::none) co_return;
    if (partition->offline()) {
        answer.error_code = ErrorCode::kafka_storage_error;
        co_return;
    }
    switch (lookup.time.ms) {
        case latest:
            answer.offset = is_replica ? partition->log_end_offset() : partition->visible_end(isolation);
            answer.leader_epoch = partition->leader_epoch();
            co_return;
        case earliest:
        case earliest_local:
            answer.offset = partition->log_start_offset();
            answer.leader_epoch = partition->epoch_of(answer.offset);
            co_return;
        case latest_tiered:
        case earliest_pending_upload: co_return;  // Nothing is tiered: offset, time and epoch stay -1.
        default: break;
    }
    Result<OffsetAndTimestamp> found = fail(Errc::canceled);
    if (lookup.time.ms == max_timestamp) found = co_await partition->find_max_timestamp(isolation);
    else found = co_await partition->find_by_timestamp(lookup.time, isolation);
    if (found) put(answer, *found);
    else answer.error_code = protocol::to_kafka(found.error());
}

Task<> look_up_group(Engine& engine, Loop& home, OnLoop<Lookup>& group, Isolation isolation, bool is_replica) {
    co_await Hop(*group.loop);
    for (auto* lookup : group.items) co_await look_up(engine, *lookup, isolation, is_replica);
    co_await Hop(home);
}

}  // namespace

Task<Result<>> list_offsets(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<ListOffsetsRequest>(request));
    auto& image = *shard.image;
    auto& engine = shard.broker.engine();

    std::vector<std::pair<std::string_view, int32_t>> seen;
    for (auto& topic : message.topics) {
        for (auto& partition : topic.partitions) seen.emplace_back(topic.name, partition.partition_index);
    }
    std::sort(seen.begin(), seen.end());

    std::vector<Lookup> lookups;
    lookups.reserve(seen.size());
    auto topics = request.arena.make<ListOffsetsResponse::Topic>(message.topics.size());
    for (size_t i = 0; i < topics.size(); ++i) {
        auto& asked = message.topics[i];
        auto* topic = image.topic(asked.name);
        auto partitions = request.arena.make<ListOffsetsResponse::Partition>(asked.partitions.size());
        topics[i].name = asked.name;
        topics[i].partitions = partitions;
        for (size_t j = 0; j < partitions.size(); ++j) {
            auto& wanted = asked.partitions[j];
            auto index = wanted.partition_index;
            partitions[j].partition_index = index;
            auto [first, last] = std::equal_range(seen.begin(), seen.end(), std::pair(asked.name, index));
            if (last - first > 1) {
                partitions[j].error_code = ErrorCode::invalid_request;
            } else if (!is_known(wanted.timestamp.ms, request.version())) {
                partitions[j].error_code = ErrorCode::unsupported_version;
            } else if (!topic || index < 0 || size_t(index) >= topic->partitions.size()) {
                partitions[j].error_code = ErrorCode::unknown_topic_or_partition;
            } else {
                lookups.push_back({{topic->id, index}, wanted.timestamp, wanted.current_leader_epoch, &partitions[j]});
            }
        }
    }

    auto groups = by_loop(engine, std::span(lookups), request.arena);
    // Followers and the debugging replica (-2) see what is not committed yet.
    bool is_replica = message.replica_id != -1;
    auto isolation = message.isolation_level == 1 ? Isolation::read_committed : Isolation::read_uncommitted;
    Gather gather(shard.loop);
    for (auto& group : groups) gather.start(look_up_group(engine, shard.loop, group, isolation, is_replica));
    co_await gather.done();

    ListOffsetsResponse response;
    response.topics = topics;
    answer(request, response);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
