#include "broker/broker.hpp"
#include "broker/handlers/fetch_round.hpp"
#include "broker/handlers/handlers.hpp"
#include "broker/handlers/topics.hpp"
#include "protocol/messages/fetch.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;

constexpr size_t fetch_items_max = 300'000;

// What the session makes of the request: the partitions to serve, and how to answer.
struct Plan {
    ErrorCode error = ErrorCode::none;    // Of the whole request.
    bool opens_session = false;           // A full request that would like one.
    int32_t session_id = 0;               // An incremental request's.
    int32_t session_epoch = 0;            // What the session expects next: if it changed when we answer, another request came between.
    std::vector<FetchItem> items;
};

FetchWish wish_of(const FetchRequest::Partition& asked) {
    FetchWish wish;
    wish.current_leader_epoch = asked.current_leader_epoch;
    wish.fetch_offset = asked.fetch_offset.value;
    wish.last_fetched_epoch = asked.last_fetched_epoch;
    wish.log_start_offset = asked.log_start_offset.value;
    wish.bytes_max = asked.partition_max_bytes;
    return wish;
}

std::vector<FetchSessions::Change> wishes_of(const FetchRequest& message) {
    std::vector<FetchSessions::Change> wishes;
    for (auto& topic : message.topics) {
        for (auto& asked : topic.partitions) wishes.push_back({{topic.topic_id, topic.topic, asked.partition}, wish_of(asked)});
    }
    return wishes;
}

// Of a partition that is named twice the last wish counts, at the place of the first.
void drop_repeated(std::vector<FetchSessions::Change>& wishes) {
    auto name = [&](size_t i) {
        auto& target = wishes[i].target;
        return std::tie(target.topic_id, target.topic, target.partition);
    };
    std::vector<size_t> order(wishes.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return name(a) < name(b); });
    std::vector<bool> repeats(wishes.size());
    bool any = false;
    for (size_t i = 1, first = 0; i < order.size(); ++i) {
        if (name(order[i]) != name(order[first])) {
            first = i;
            continue;
        }
        wishes[order[first]].wish = wishes[order[i]].wish;
        any = repeats[order[i]] = true;
    }
    if (!any) return;
    size_t count = 0;
    for (size_t i = 0; i < wishes.size(); ++i) {
        if (!repeats[i]) wishes[count++] = wishes[i];
    }
    wishes.resize(count);
}

Plan make_plan(Shard& shard, Request& request, const FetchRequest& message) {
    Plan plan;
    auto wishes = wishes_of(message);
    bool by_id = request.version() >= 13;
    bool full = message.session_epoch == 0 || message.session_epoch == -1;
    if (full) {
        // Of whatever session it had, it wants no more.
        if (message.session_id != 0) shard.sessions.close(message.session_id);
        plan.opens_session = message.session_epoch == 0;
        if (wishes.size() > 1) drop_repeated(wishes);
    } else {
        std::vector<FetchTarget> forgotten;
        for (auto& topic : message.forgotten_topics_data) {
            for (auto partition : topic.partitions) forgotten.push_back({topic.topic_id, topic.topic, partition});
        }
        auto begun = shard.sessions.begin(message.session_id, message.session_epoch, by_id, wishes, forgotten, shard.loop.now());
        plan.error = ErrorCode(begun.error);
        if (plan.error != ErrorCode::none) return plan;
        if (begun.session) {
            plan.session_id = begun.session->id();
            plan.session_epoch = begun.session->epoch();
            plan.items.reserve(begun.session->partitions().size());
            for (auto& partition : begun.session->partitions()) {
                auto& item = plan.items.emplace_back();
                item.target = {partition.topic_id, request.arena.copy(partition.topic), partition.partition};
                item.wish = partition.wish;
            }
            return plan;
        }
    }
    plan.items.reserve(wishes.size());
    for (auto& wish : wishes) {
        auto& item = plan.items.emplace_back();
        item.target = wish.target;
        item.wish = wish.wish;
    }
    return plan;
}

// Finds the partitions. Those that are not there have their answer at once, and stand behind the others, as in Kafka.
void resolve(Plan& plan, const rafka::metadata::Image& image, bool by_id) {
    for (auto& item : plan.items) {
        auto* topic = by_id ? image.topic(item.target.topic_id) : image.topic(item.target.topic);
        auto index = item.target.partition;
        if (!topic) {
            item.refuse(by_id ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition);
        } else if (index < 0 || size_t(index) >= topic->partitions.size()) {
            item.refuse(ErrorCode::unknown_topic_or_partition);
        } else {
            item.key = {topic->id, index};
            item.is_found = true;
        }
    }
    std::stable_partition(plan.items.begin(), plan.items.end(), [](auto& item) { return item.error == ErrorCode::none; });
}

FetchOutcome outcome_of(const FetchItem& item) {
    FetchOutcome outcome;
    outcome.error = int16_t(item.error);
    outcome.high_watermark = item.high_watermark.value;
    outcome.log_start_offset = item.log_start_offset.value;
    outcome.records_size = item.records.size;
    outcome.diverging = item.diverging.has_value();
    return outcome;
}

FetchResponse::Partition describe(FetchItem& item, Shard& shard, Request& request, bool committed_only) {
    FetchResponse::Partition partition;
    partition.partition_index = item.target.partition;
    partition.error_code = item.error;
    // Clients of that time do not know the code, and would not try again.
    if (item.error == ErrorCode::kafka_storage_error && request.version() <= 5) partition.error_code = ErrorCode::not_leader_or_follower;
    partition.high_watermark = item.high_watermark;
    partition.last_stable_offset = item.last_stable_offset;
    partition.log_start_offset = item.log_start_offset;
    if (item.diverging) partition.diverging_epoch = {item.diverging->epoch, item.diverging->end_offset};
    // A list for who asked for committed records only, and, as in Kafka, where there was no partition to read.
    if (committed_only || !item.is_found) {
        auto aborted = request.arena.make<FetchResponse::AbortedTransaction>(item.records.aborted.size());
        for (size_t i = 0; i < aborted.size(); ++i) {
            aborted[i] = {item.records.aborted[i].producer_id, item.records.aborted[i].first_offset};
        }
        partition.aborted_transactions = aborted;
    }
    bool wrong_leader = item.error == ErrorCode::not_leader_or_follower || item.error == ErrorCode::fenced_leader_epoch;
    if (request.version() >= 16 && wrong_leader) {
        if (auto* state = shard.image->partition(item.key)) partition.current_leader = {state->leader, state->leader_epoch};
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
std::vector<FetchItem*> choose(Plan& plan, Shard& shard, Request& request, bool privileged, FetchResponse& response) {
    std::vector<FetchItem*> named;
    if (plan.session_id != 0) {
        auto* session = shard.sessions.find(plan.session_id);
        if (!session || session->epoch() != plan.session_epoch) {
            response.error_code = session ? ErrorCode::invalid_fetch_session_epoch : ErrorCode::fetch_session_id_not_found;
            return named;
        }
        response.session_id = plan.session_id;
        for (auto& item : plan.items) {
            if (session->answer(item.target, outcome_of(item))) named.push_back(&item);
        }
        shard.sessions.touch(*session, shard.loop.now());
        return named;
    }
    for (auto& item : plan.items) named.push_back(&item);
    if (plan.opens_session) {
        auto now = shard.loop.now();
        auto* session = shard.sessions.open(privileged, request.version() >= 13, plan.items.size(), now, draw, &shard.loop.io());
        if (session) {
            for (auto& item : plan.items) shard.sessions.add(*session, item.target, item.wish, outcome_of(item));
            shard.sessions.touch(*session, now);
            response.session_id = session->id();
        }
    }
    return named;
}

void answer_fetch(Plan& plan, Shard& shard, Request& request, bool privileged, bool committed_only) {
    FetchResponse response;
    auto named = choose(plan, shard, request, privileged, response);
    // Neighbours of the same topic share its entry.
    auto partitions = request.arena.make<FetchResponse::Partition>(named.size());
    wire::ArrayBuilder<FetchResponse::Topic> topics(request.arena);
    size_t first = 0;
    for (size_t i = 0; i < named.size(); ++i) {
        auto& target = named[i]->target;
        bool same = i > 0 && target.topic_id == named[i - 1]->target.topic_id && target.topic == named[i - 1]->target.topic;
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
    for (auto* item : named) {
        if (item->records.size > 0) request.records.push_back(std::move(item->records));
    }
}

}  // namespace

Task<Result<>> fetch(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<FetchRequest>(request));
    auto plan = make_plan(shard, request, message);
    if (plan.error != ErrorCode::none) {
        FetchResponse response;
        response.error_code = plan.error;
        answer(request, response);
        co_return Result<>();
    }
    resolve(plan, *shard.image, request.version() >= 13);

    int32_t replica = request.version() >= 15 ? message.replica_state.replica_id : message.replica_id;
    bool committed_only = message.isolation_level == 1;
    auto bytes_max = std::min<int64_t>(std::max(message.max_bytes, 0), int64_t(shard.limits.fetch_bytes_max));
    FetchRound round(shard.broker.engine(), shard.loop);
    round.isolation = committed_only ? Isolation::read_committed : Isolation::read_uncommitted;
    round.is_follower = replica >= 0;
    round.bytes_left = bytes_max;
    round.memory_left = &shard.fetch_bytes_left;
    round.missing = std::min<int64_t>(message.min_bytes, bytes_max);
    round.deadline = shard.loop.now() + std::chrono::milliseconds(std::max(message.max_wait_ms, 0));
    // What waits takes memory. Where too much does already, the answer comes at once.
    auto count = plan.items.size();
    if (shard.fetch_items + count > fetch_items_max) round.deadline = shard.loop.now();
    shard.fetch_items += count;
    co_await round.run(plan.items, *request.client);
    shard.fetch_items -= count;
    request.held_of = &shard.fetch_bytes_left;
    request.held = round.held;

    answer_fetch(plan, shard, request, replica >= 0, committed_only);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
