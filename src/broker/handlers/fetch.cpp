#include "broker/broker.hpp"
#include "broker/handlers/fetch_round.hpp"
#include "broker/handlers/handlers.hpp"
#include "broker/handlers/topics.hpp"
#include "protocol/messages/fetch.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;

constexpr size_t fetch_items_max = 300'000;

FetchWish wish_of(const FetchRequest::Partition& asked) {
    FetchWish wish;
    wish.current_leader_epoch = asked.current_leader_epoch;
    wish.fetch_offset = asked.fetch_offset.value;
    wish.last_fetched_epoch = asked.last_fetched_epoch;
    wish.log_start_offset = asked.log_start_offset.value;
    wish.bytes_max = asked.partition_max_bytes;
    return wish;
}

// Of a partition that is named twice the last wish counts, at the place of the first.
void put_all(FetchSession& session, const FetchRequest& message) {
    for (auto& topic : message.topics) {
        for (auto& asked : topic.partitions) session.put({topic.topic_id, topic.topic, asked.partition}, wish_of(asked));
    }
}

void forget_some(FetchSession& session, const FetchRequest& message) {
    for (auto& topic : message.forgotten_topics_data) {
        for (auto partition : topic.partitions) session.forget({topic.topic_id, topic.topic, partition});
    }
}

size_t partitions_of(const FetchRequest& message) {
    size_t count = 0;
    for (auto& topic : message.topics) count += topic.partitions.size();
    return count;
}

bool is_full(const FetchRequest& message) { return message.session_epoch == 0 || message.session_epoch == -1; }

// Whose partitions are to be served, and how to answer.
struct Plan {
    ErrorCode error = ErrorCode::none;    // Of the whole request.
    FetchSession* session = nullptr;      // Its user is this request.
    bool is_incremental = false;
    bool opens_session = false;           // A full request that would like one.
    int32_t epoch = 0;                    // What the session expects next: if it changed when we answer, another request came between.
};

Task<Plan> make_plan(Shard& shard, const FetchRequest& message, bool by_id) {
    Plan plan;
    auto now = shard.loop.now();
    plan.opens_session = message.session_epoch == 0;
    if (!is_full(message)) {
        auto begun = shard.sessions.begin(message.session_id, message.session_epoch, by_id, partitions_of(message), now);
        plan.error = begun.error;
        if (plan.error != ErrorCode::none) co_return plan;
        auto& session = *begun.session;
        plan.session = &session;
        plan.epoch = session.epoch();
        plan.is_incremental = true;
        // Clients send one request after the other. Who does not makes an end of the older one.
        while (session.in_round()) {
            session.interrupt();
            co_await session.bell.wait_until(never);
        }
        put_all(session, message);
        forget_some(session, message);
        shard.sessions.touch(session, now);
        if (!session.partitions().empty()) co_return plan;
        shard.sessions.close(session);
        shard.sessions.leave(session);
        plan.is_incremental = false;
    }
    plan.session = &shard.sessions.take();
    put_all(*plan.session, message);
    co_return plan;
}

FetchResponse::Partition describe(const FetchPartition& of, Shard& shard, Request& request, bool committed_only) {
    auto& item = of.result;
    FetchResponse::Partition partition;
    partition.partition_index = of.index;
    partition.error_code = item.error;
    // Clients of that time do not know the code, and would not try again.
    if (item.error == ErrorCode::kafka_storage_error && request.version() <= 5) partition.error_code = ErrorCode::not_leader_or_follower;
    partition.high_watermark = item.high_watermark;
    partition.last_stable_offset = item.last_stable_offset;
    partition.log_start_offset = item.log_start_offset;
    if (item.diverging) partition.diverging_epoch = {item.diverging->epoch, item.diverging->end_offset};
    // A list for who asked for committed records only, and, as in Kafka, where there was no partition to read.
    if (committed_only || !of.is_found) {
        auto aborted = request.arena.make<FetchResponse::AbortedTransaction>(item.records.aborted.size());
        for (size_t i = 0; i < aborted.size(); ++i) {
            aborted[i] = {item.records.aborted[i].producer_id, item.records.aborted[i].first_offset};
        }
        partition.aborted_transactions = aborted;
    }
    bool wrong_leader = item.error == ErrorCode::not_leader_or_follower || item.error == ErrorCode::fenced_leader_epoch;
    if (request.version() >= 16 && wrong_leader) {
        if (auto* state = shard.image->partition(of.key)) partition.current_leader = {state->leader, state->leader_epoch};
    }
    auto pieces = request.arena.make<Bytes>(item.records.pieces.size());
    for (size_t i = 0; i < pieces.size(); ++i) pieces[i] = item.records.pieces[i].bytes;
    partition.records = wire::Pieces{pieces};
    return partition;
}

wire::Array<protocol::NodeEndpoint> leaders_of(wire::Array<FetchResponse::Topic> topics, Shard& shard, Request& request) {
    std::vector<int32_t> ids;
    for (auto& topic : topics) {
        for (auto& partition : topic.partitions) {
            auto id = partition.current_leader.leader_id;
            if (id >= 0 && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
        }
    }
    auto nodes = request.arena.make<protocol::NodeEndpoint>(ids.size());
    size_t count = 0;
    for (auto id : ids) {
        auto* endpoint = reachable(*shard.image, id, request.client->listener);
        if (endpoint) nodes[count++] = {id, request.arena.copy(endpoint->host), endpoint->port, std::nullopt};
    }
    return nodes.first(count);
}

uint64_t draw(void* io) { return static_cast<Io*>(io)->random(); }

// Which partitions the answer names, and the session's number.
std::span<FetchPartition*> choose(Plan& plan, Shard& shard, Request& request, bool privileged, FetchResponse& response) {
    auto& session = *plan.session;
    auto now = shard.loop.now();
    auto& looked_at = session.looked_at();
    if (plan.is_incremental) {
        response.session_id = session.id();
        if (session.epoch() != plan.epoch) {
            response.error_code = ErrorCode::invalid_fetch_session_epoch;
            for (auto* partition : looked_at) session.mark(*partition);
            return {};
        }
        shard.sessions.touch(session, now);
    }
    auto named = request.arena.make<FetchPartition*>(looked_at.size());
    size_t count = 0;
    // Those that are not there stand behind the others, as in Kafka.
    for (bool found : {true, false}) {
        for (auto* partition : looked_at) {
            if (partition->is_found == found && (!plan.is_incremental || session.answer(*partition))) named[count++] = partition;
        }
    }
    if (plan.opens_session && shard.sessions.open(session, privileged, request.version() >= 13, now, draw, &shard.loop.io())) {
        for (auto* partition : named.first(count)) session.answer_first(*partition);
        response.session_id = session.id();
    }
    return named.first(count);
}

void answer_fetch(Plan& plan, Shard& shard, Request& request, bool privileged, bool committed_only) {
    FetchResponse response;
    auto named = choose(plan, shard, request, privileged, response);
    // Neighbours of the same topic share its entry.
    auto partitions = request.arena.make<FetchResponse::Partition>(named.size());
    wire::ArrayBuilder<FetchResponse::Topic> topics(request.arena);
    size_t first = 0;
    for (size_t i = 0; i < named.size(); ++i) {
        auto target = named[i]->target();
        bool same = i > 0 && target.topic_id == named[i - 1]->topic_id && target.topic == named[i - 1]->topic;
        if (!same) {
            first = i;
            topics.push({target.topic, target.topic_id, {}});
        }
        partitions[i] = describe(*named[i], shard, request, committed_only);
        topics.back().partitions = partitions.subspan(first, i + 1 - first);
    }
    response.responses = topics.take();
    if (request.version() >= 16) response.node_endpoints = leaders_of(response.responses, shard, request);
    answer(request, response);
    // What is looked at and not named brought no records.
    request.held_of = &shard.fetch_bytes_left;
    for (auto* partition : plan.session->looked_at()) {
        request.held += std::exchange(partition->held, 0);
        auto records = std::exchange(partition->result.records, {});
        if (records.size > 0) request.records.push_back(std::move(records));
    }
}

// On the loop of the session, or of the connection where there is none.
Task<> serve(Shard& shard, Request& request, const FetchRequest& message, Patience& patience) {
    bool by_id = request.version() >= 13;
    auto plan = co_await make_plan(shard, message, by_id);
    if (plan.error != ErrorCode::none) {
        FetchResponse response;
        response.error_code = plan.error;
        answer(request, response);
        co_await retire(shard);
        co_return;
    }
    auto& session = *plan.session;
    int32_t replica = request.version() >= 15 ? message.replica_state.replica_id : message.replica_id;
    bool committed_only = message.isolation_level == 1;
    auto bytes_max = std::min<int64_t>(std::max(message.max_bytes, 0), int64_t(shard.limits.fetch_bytes_max));
    FetchRound round(shard, session, request.arena, patience);
    round.isolation = committed_only ? Isolation::read_committed : Isolation::read_uncommitted;
    round.is_follower = replica >= 0;
    round.by_id = by_id;
    round.bytes_max = bytes_max;
    round.bytes_min = std::min<int64_t>(message.min_bytes, bytes_max);
    round.deadline = shard.loop.now() + std::chrono::milliseconds(std::max(message.max_wait_ms, 0));
    round.keeps_watches = plan.is_incremental || plan.opens_session;
    // What waits takes memory. Where too much does already, the answer comes at once.
    auto count = plan.is_incremental ? 0 : session.partitions().size();
    if (shard.fetch_items + count > fetch_items_max) round.deadline = shard.loop.now();
    shard.fetch_items += count;
    session.reads_as(round.isolation, round.is_follower);
    co_await round.run();
    shard.fetch_items -= count;

    answer_fetch(plan, shard, request, replica >= 0, committed_only);
    if (session.id() == 0) session.forget_all();
    if (!session.leaving().empty()) co_await let_go(shard, session);
    session.end_round();
    shard.sessions.leave(session);
    co_await retire(shard);
}

Task<> close_session(Shard& shard, int32_t id) {
    co_await Hop(shard.loop);
    shard.sessions.close(id);
    co_await retire(shard);
}

}  // namespace

Task<Result<>> fetch(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<FetchRequest>(request));
    auto& owner = shard.broker.shard_of_session(message.session_id);
    Patience patience(request.client->gone);
    request.client->add(patience);
    // Of whatever session it had, a full request wants no more.
    if (is_full(message) && message.session_id != 0) {
        co_await close_session(owner, message.session_id);
        co_await Hop(shard.loop);
    }
    auto& place = is_full(message) ? shard : owner;
    co_await Hop(place.loop);
    co_await serve(place, request, message, patience);
    co_await Hop(shard.loop);
    request.client->remove(patience);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
