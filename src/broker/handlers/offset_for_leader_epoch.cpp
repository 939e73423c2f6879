#include "broker/broker.hpp"
#include "broker/gather.hpp"
#include "broker/handlers/by_loop.hpp"
#include "broker/handlers/handlers.hpp"
#include "protocol/messages/offset_for_leader_epoch.hpp"

#include <algorithm>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::ErrorCode;
using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;

struct Question {
    PartitionKey key;
    LeaderEpoch current = -1;
    LeaderEpoch asked = -1;
    OffsetForLeaderEpochResponse::Partition* answer = nullptr;
};

// On the partition's loop.
void look_up(Engine& engine, Question& question) {
    auto& answer = *question.answer;
    auto* partition = engine.find(question.key);
    if (!partition) {
        answer.error_code = ErrorCode::not_leader_or_follower;
    } else if (partition->offline()) {
        answer.error_code = ErrorCode::kafka_storage_error;
    } else if (question.current != -1 && question.current < partition->leader_epoch()) {
        answer.error_code = ErrorCode::fenced_leader_epoch;
    } else if (question.current > partition->leader_epoch()) {
        answer.error_code = ErrorCode::unknown_leader_epoch;
    } else {
        auto end = partition->epoch_end(question.asked);
        answer.leader_epoch = end.epoch;
        answer.end_offset = end.end_offset;
    }
}

Task<> look_up_group(Engine& engine, Loop& home, OnLoop<Question>& group) {
    co_await Hop(*group.loop);
    for (auto* question : group.items) look_up(engine, *question);
    co_await Hop(home);
}

}  // namespace

Task<Result<>> offset_for_leader_epoch(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<OffsetForLeaderEpochRequest>(request));
    auto& engine = shard.broker.engine();

    std::vector<Question> questions;
    size_t count = 0;
    for (auto& topic : message.topics) count += topic.partitions.size();
    questions.reserve(count);
    auto topics = request.arena.make<OffsetForLeaderEpochResponse::Topic>(message.topics.size());
    for (size_t i = 0; i < topics.size(); ++i) {
        auto& asked = message.topics[i];
        auto* topic = shard.image->topic(asked.topic);
        auto partitions = request.arena.make<OffsetForLeaderEpochResponse::Partition>(asked.partitions.size());
        topics[i].topic = asked.topic;
        topics[i].partitions = partitions;
        for (size_t j = 0; j < partitions.size(); ++j) {
            auto index = asked.partitions[j].partition;
            partitions[j].partition = index;
            if (!topic || index < 0 || size_t(index) >= topic->partitions.size()) {
                partitions[j].error_code = ErrorCode::unknown_topic_or_partition;
                continue;
            }
            questions.push_back({{topic->id, index}, asked.partitions[j].current_leader_epoch, asked.partitions[j].leader_epoch, &partitions[j]});
        }
    }
    auto groups = by_loop(engine, std::span(questions), request.arena);
    Gather gather(shard.loop);
    for (auto& group : groups) gather.start(look_up_group(engine, shard.loop, group));
    co_await gather.done();

    OffsetForLeaderEpochResponse response;
    response.topics = topics;
    answer(request, response);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
