#include "broker/handlers/fetch_round.hpp"

#include "broker/broker.hpp"
#include "broker/gather.hpp"

#include <algorithm>

namespace rafka::broker::handlers {

using protocol::ErrorCode;

namespace {

// Takes what it is allowed to read from a budget, as far as there is some.
int64_t claim(std::atomic<int64_t>& budget, int64_t wanted) {
    auto left = budget.fetch_sub(wanted);
    auto got = std::clamp<int64_t>(left, 0, wanted);
    if (got < wanted) budget += wanted - got;
    return got;
}

void unwatch(FetchPartition& partition) {
    if (partition.partition) partition.partition->unwatch(partition);
    partition.is_watched = false;
}

// Nobody else forgets partitions of the session meanwhile.
Task<> unwatch_all(std::span<FetchPartition* const> partitions, Loop& home) {
    for (auto* partition : partitions) {
        if (!partition->is_watched) continue;
        auto* loop = partition->home;
        co_await Hop(*loop);
        for (auto* neighbour : partitions) {
            if (neighbour->is_watched && neighbour->home == loop) unwatch(*neighbour);
        }
    }
    co_await Hop(home);
}

}  // namespace

FetchRound::FetchRound(Shard& shard, FetchSession& session, wire::Arena& arena, Patience& patience)
    : shard_(shard),
      engine_(shard.broker.engine()),
      session_(session),
      patience_(patience),
      all_visits_(arena.make<Visit>(shard.broker.loop_count())) {}

bool FetchRound::is_over() const {
    return session_.missing() <= 0 || settled_ || session_.interrupted() || patience_.gone ||
           absent_ == session_.partitions().size() || shard_.loop.now() >= deadline;
}

// As in Kafka: one look at what there is, and if that is not enough a second one when the wait is over.
Task<> FetchRound::run() {
    session_.begin_round(bytes_min);
    patience_.session = &session_;
    co_await look();
    while (!is_over()) {
        drop_records();
        while (!is_over() && !session_.take_recheck()) co_await session_.bell.wait_until(deadline);
        if (session_.interrupted() || patience_.gone) break;
        co_await look();
    }
}

Task<> FetchRound::look() {
    std::span<Visit> visits;
    co_await plan(visits);
    is_alone_ = visits.size() <= 1;
    if (is_alone_) {
        for (auto& visit : visits) co_await travel(visit);
        co_return;
    }
    Gather gather(shard_.loop);
    for (auto& visit : visits) gather.start(travel(visit));
    co_await gather.done();
    limit();
}

Task<> FetchRound::plan(std::span<Visit>& visits) {
    session_.take_changed();
    visits = all_visits_.first(0);
    absent_ = 0;
    auto image = shard_.image;
    for (auto* partition : session_.looked_at()) {
        if (partition->is_due) {
            partition->is_due = false;
            ++shard_.fetch_looks;
            if (!partition->is_found || partition->found_at != image->offset) {
                auto key = find(*image, *partition);
                bool moved = key && *key != partition->key;
                if (moved && partition->is_watched) {
                    // A topic of the same name, made anew.
                    auto* one = partition;
                    co_await unwatch_all(std::span<FetchPartition* const>(&one, 1), shard_.loop);
                }
                partition->is_found = key.has_value();
                partition->found_at = image->offset;
                if (key) {
                    partition->key = *key;
                    partition->home = &engine_.loop_of(*key);
                }
            }
            if (partition->is_found) {
                allot(*partition, visits);
            } else {
                bool no_topic = by_id && !image->topic(partition->topic_id);
                partition->result.refuse(no_topic ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition);
            }
        }
        if (!partition->is_found) ++absent_;
    }
}

std::optional<PartitionKey> FetchRound::find(const metadata::Image& image, const FetchPartition& partition) const {
    auto* topic = by_id ? image.topic(partition.topic_id) : image.topic(std::string_view(partition.topic));
    if (!topic || partition.index < 0 || size_t(partition.index) >= topic->partitions.size()) return std::nullopt;
    return PartitionKey{topic->id, partition.index};
}

void FetchRound::allot(FetchPartition& partition, std::span<Visit>& visits) {
    auto visit = std::find_if(visits.begin(), visits.end(), [&](auto& visit) { return visit.loop == partition.home; });
    if (visit == visits.end()) {
        visits = all_visits_.first(visits.size() + 1);
        visit = std::prev(visits.end());
        *visit = Visit{};
        visit->loop = partition.home;
        visit->bytes_left = bytes_max;
    }
    (visit->last ? visit->last->next_due : visit->first) = &partition;
    visit->last = &partition;
    partition.next_due = nullptr;
}

Task<> FetchRound::travel(Visit& visit) {
    co_await Hop(*visit.loop);
    co_await serve(visit);
    co_await Hop(shard_.loop);
}

Task<> FetchRound::serve(Visit& visit) {
    for (auto* partition = visit.first; partition; partition = partition->next_due) {
        auto* log = engine_.find(partition->key);
        if (log && log->reloading()) {
            // Its offsets are not known for a moment.
            auto settled = co_await log->read(Offset{partition->wish.fetch_offset}, 0, false, isolation);
            (void)settled;
            log = engine_.find(partition->key);
        }
        if (partition->partition != log) unwatch(*partition);
        if (!log) {
            refuse(*partition, ErrorCode::not_leader_or_follower);
            continue;
        }
        bool watches = keeps_watches || session_.missing() > 0;
        if (watches && !partition->is_watched) {
            log->watch(*partition);
            partition->is_watched = true;
        }
        if (glance(*partition, *log, visit)) co_await read(*partition, *log, visit);
    }
    if (keeps_watches || session_.missing() > 0) co_return;
    for (auto* partition = visit.first; partition; partition = partition->next_due) unwatch(*partition);
}

bool FetchRound::glance(FetchPartition& partition, Partition& log, Visit& visit) {
    auto& result = partition.result;
    result.refuse(ErrorCode::none);
    partition.held = 0;
    if (auto error = check(log, partition); error != ErrorCode::none) {
        refuse(partition, error);
        return false;
    }
    Offset from{partition.wish.fetch_offset};
    if (result.diverging) {
        settled_ = true;
    } else if (from < log.log_start_offset() || from > log.log_end_offset()) {
        refuse(partition, ErrorCode::offset_out_of_range);
        return false;
    } else if (from < log.visible_end(isolation)) {
        // The first records may be more than all limits: whoever asks must be able to go on.
        if (!visit.has_records || std::min<int64_t>(partition.wish.bytes_max, visit.bytes_left) > 0) return true;
    } else {
        result.is_idle = true;
    }
    note(partition, log);
    session_.recount(partition, 0);
    return false;
}

Task<> FetchRound::read(FetchPartition& partition, Partition& log, Visit& visit) {
    auto& memory = shard_.fetch_bytes_left;
    auto wanted = std::max<int64_t>(std::min<int64_t>(partition.wish.bytes_max, visit.bytes_left), 0);
    auto allowed = claim(memory, wanted);
    auto records = co_await log.read(Offset{partition.wish.fetch_offset}, uint32_t(allowed), !visit.has_records, isolation);
    auto size = records ? int64_t(records->size) : 0;
    memory += allowed - size;
    if (!records) co_return refuse(partition, protocol::to_kafka(records.error()));
    auto* still = engine_.find(partition.key);  // It may have ended while we read.
    if (still != &log) {
        memory += size;
        co_return refuse(partition, ErrorCode::not_leader_or_follower);
    }
    partition.held = size;
    // Kafka counts what is there, though only whole batches may be sent.
    session_.recount(partition, records->more ? std::max(size, wanted) : size);
    partition.result.records = std::move(*records);
    note(partition, log);
    if (size == 0) co_return;
    visit.has_records = true;
    // Where others decide whether it is the first it may go again, and then takes nothing from those behind it.
    if (is_alone_ || size <= wanted) visit.bytes_left = std::max<int64_t>(visit.bytes_left - size, 0);
}

// Consumers of an old leader's time are told; a follower's last epoch must be ours.
ErrorCode FetchRound::check(const Partition& log, FetchPartition& partition) {
    auto& wish = partition.wish;
    auto current = wish.current_leader_epoch;
    // We have no followers.
    if (is_follower) return current >= 0 ? ErrorCode::unknown_leader_epoch : ErrorCode::not_leader_or_follower;
    if (current >= 0 && current < log.leader_epoch()) return ErrorCode::fenced_leader_epoch;
    if (current > log.leader_epoch()) return ErrorCode::unknown_leader_epoch;
    if (log.offline()) return ErrorCode::kafka_storage_error;
    if (wish.last_fetched_epoch >= 0) {
        auto end = log.epoch_end(wish.last_fetched_epoch);
        if (end.epoch < 0 || end.end_offset < Offset{0}) return ErrorCode::offset_out_of_range;
        if (end.epoch < wish.last_fetched_epoch || end.end_offset < Offset{wish.fetch_offset}) partition.result.diverging = end;
    }
    return ErrorCode::none;
}

void FetchRound::refuse(FetchPartition& partition, ErrorCode error) {
    partition.result.refuse(error);
    session_.recount(partition, 0);
    settled_ = true;
}

void FetchRound::note(FetchPartition& partition, const Partition& log) {
    partition.result.high_watermark = log.high_watermark();
    partition.result.last_stable_offset = log.last_stable_offset();
    partition.result.log_start_offset = log.log_start_offset();
}

// Each loop has read as if its partitions were alone. In the order of all of them some of that is too much.
void FetchRound::limit() {
    auto left = bytes_max;
    bool has_records = false;
    for (auto* partition : session_.looked_at()) {
        auto& records = partition->result.records;
        if (records.size == 0) continue;
        auto allowed = std::max<int64_t>(std::min<int64_t>(partition->wish.bytes_max, left), 0);
        auto before = int64_t(records.size);
        if (before > allowed) records.keep(size_t(allowed), !has_records);
        auto size = int64_t(records.size);
        shard_.fetch_bytes_left += before - size;
        partition->held = size;
        has_records |= size > 0;
        left = std::max<int64_t>(left - size, 0);
    }
}

// What was read is read again behind the wait, and holds no memory until then.
void FetchRound::drop_records() {
    for (auto* partition : session_.looked_at()) {
        auto& result = partition->result;
        if (result.is_idle || result.error != ErrorCode::none) continue;
        result.records = {};
        shard_.fetch_bytes_left += partition->held;
        partition->held = 0;
        partition->is_due = true;
    }
}

Task<> let_go(Shard& shard, FetchSession& session) {
    auto& leaving = session.leaving();
    co_await unwatch_all(leaving, shard.loop);
    for (auto* partition : leaving) session.release(*partition);
    leaving.clear();
}

Task<> retire(Shard& shard) {
    while (auto* session = shard.sessions.take_ended()) {
        session->forget_all();
        co_await let_go(shard, *session);
        shard.sessions.give_back(*session);
    }
}

}  // namespace rafka::broker::handlers
