#include "broker/handlers/fetch_round.hpp"

#include <algorithm>
#include <deque>
#include <iterator>

namespace rafka::broker::handlers {

using protocol::ErrorCode;

namespace {

// Takes what it is allowed to read from a budget, as far as there is some.
int64_t claim(std::atomic<int64_t>& budget, int64_t wanted) {
    auto left = budget.fetch_sub(wanted);
    auto got = std::clamp<int64_t>(left, 0, wanted);
    budget += wanted - got;
    return got;
}

}  // namespace

// Counts what becomes readable in one partition.
struct FetchRound::Watcher : Watch {
    Watcher(Visit& visit, FetchItem& item, Isolation isolation) : Watch(isolation, &Watcher::on_grown), visit(visit), item(item) {}
    static void on_grown(Watch& watch, uint64_t bytes);
    Visit& visit;
    FetchItem& item;
};

// On one loop, but for its making and its end.
class FetchRound::Visit {
public:
    Visit(FetchRound& round, Loop& loop) : loop(loop), round_(round), woken_(loop) {}

    Task<> serve();
    void stop() {
        stopped_ = true;
        woken_.notify_all();
    }
    void wake() { woken_.notify_all(); }

    Loop& loop;
    std::vector<FetchItem*> items;
    bool is_away = true;  // At home's sight: it has not come back.
    bool told_to_stop = false;

private:
    Task<> read(FetchItem& item);
    Task<> look_again();
    ErrorCode check(const Partition& partition, FetchItem& item);
    void finish(FetchItem& item, ErrorCode error);
    void watch_all();
    bool is_over() const { return stopped_ || round_.settled_ || loop.now() >= round_.deadline; }

    FetchRound& round_;
    Event woken_;
    std::deque<Watcher> watchers_;
    bool stopped_ = false;

    friend struct Watcher;
};

void FetchRound::Watcher::on_grown(Watch& watch, uint64_t bytes) {
    auto& self = static_cast<Watcher&>(watch);
    self.item.look_again = true;
    if (bytes == 0) {
        // The partition is not what it was; it may be about to go.
        if (watch.partition) watch.partition->unwatch(watch);
        self.visit.round_.settled_ = true;
        self.visit.wake();
        return;
    }
    self.item.counted += int64_t(bytes);
    if (self.visit.round_.missing.fetch_sub(int64_t(bytes)) <= int64_t(bytes)) self.visit.wake();
}

// Consumers of an old leader's time are told; a follower's last epoch must be ours.
ErrorCode FetchRound::Visit::check(const Partition& partition, FetchItem& item) {
    auto current = item.wish.current_leader_epoch;
    // We have no followers.
    if (round_.is_follower) return current >= 0 ? ErrorCode::unknown_leader_epoch : ErrorCode::not_leader_or_follower;
    if (current >= 0 && current < partition.leader_epoch()) return ErrorCode::fenced_leader_epoch;
    if (current > partition.leader_epoch()) return ErrorCode::unknown_leader_epoch;
    if (partition.offline()) return ErrorCode::kafka_storage_error;
    if (item.wish.last_fetched_epoch >= 0) {
        auto end = partition.epoch_end(item.wish.last_fetched_epoch);
        if (end.epoch < 0 || end.end_offset < Offset{0}) return ErrorCode::offset_out_of_range;
        if (end.epoch < item.wish.last_fetched_epoch || end.end_offset < Offset{item.wish.fetch_offset}) item.diverging = end;
    }
    return ErrorCode::none;
}

void FetchRound::Visit::finish(FetchItem& item, ErrorCode error) {
    item.refuse(error);
    round_.settled_ = true;
}

Task<> FetchRound::Visit::read(FetchItem& item) {
    item.look_again = false;
    // What an earlier look took is given back first.
    round_.bytes_left += item.held;
    *round_.memory_left += item.held;
    round_.missing += item.counted;
    item.held = item.counted = 0;
    item.records = {};

    auto* partition = round_.engine_.find(item.key);
    if (!partition) co_return finish(item, ErrorCode::not_leader_or_follower);
    if (auto error = check(*partition, item); error != ErrorCode::none) co_return finish(item, error);
    if (item.diverging) {
        item.high_watermark = partition->high_watermark();
        item.last_stable_offset = partition->last_stable_offset();
        item.log_start_offset = partition->log_start_offset();
        round_.settled_ = true;
        co_return;
    }
    item.seen_end = partition->visible_end(round_.isolation);
    // The first records may be more than all limits: whoever asks must be able to go on.
    bool at_least_one = !round_.has_records_;
    auto wanted = claim(round_.bytes_left, std::max(item.wish.bytes_max, 0));
    auto allowed = claim(*round_.memory_left, wanted);
    round_.bytes_left += wanted - allowed;
    auto records = co_await partition->read(Offset{item.wish.fetch_offset}, uint32_t(allowed), at_least_one, round_.isolation);
    auto size = records ? int64_t(records->size) : 0;
    round_.bytes_left += allowed - size;
    *round_.memory_left += allowed - size;
    item.held = item.counted = size;
    round_.missing -= size;
    if (!records) co_return finish(item, protocol::to_kafka(records.error()));
    if (size > 0) round_.has_records_ = true;
    item.records = std::move(*records);

    partition = round_.engine_.find(item.key);  // It may have ended while we read.
    if (!partition) co_return finish(item, ErrorCode::not_leader_or_follower);
    item.high_watermark = partition->high_watermark();
    item.last_stable_offset = partition->last_stable_offset();
    item.log_start_offset = partition->log_start_offset();
}

// From here on nothing is missed: what grew between the read and the watch is looked at again.
void FetchRound::Visit::watch_all() {
    for (auto* item : items) {
        auto* partition = round_.engine_.find(item->key);
        if (!partition) {
            item->look_again = true;
            continue;
        }
        auto& watcher = watchers_.emplace_back(*this, *item, round_.isolation);
        partition->watch(watcher);
        if (partition->visible_end(round_.isolation) != item->seen_end) item->look_again = true;
    }
}

Task<> FetchRound::Visit::look_again() {
    for (auto* item : items) {
        if (item->look_again && item->error == ErrorCode::none) co_await read(*item);
    }
}

Task<> FetchRound::Visit::serve() {
    for (auto* item : items) co_await read(*item);
    if (!round_.enough() && !is_over()) {
        watch_all();
        co_await look_again();
        while (!round_.enough() && !is_over()) {
            co_await woken_.wait_until(round_.deadline);
            // Enough by count; a second look tells whether it is, since a partition's limit may keep some back.
            co_await look_again();
        }
        for (auto& watcher : watchers_) {
            if (watcher.partition) watcher.partition->unwatch(watcher);
        }
    }
}

FetchRound::FetchRound(Engine& engine, Loop& home) : engine_(engine), home_(home), gather_(home) {}

FetchRound::~FetchRound() = default;

Task<> FetchRound::travel(Visit& visit) {
    co_await Hop(visit.loop);
    co_await visit.serve();
    co_await Hop(home_);
    visit.is_away = false;
    if (enough()) stop_others(&visit);
}

Task<> FetchRound::stop(Visit& visit) {
    co_await Hop(visit.loop);
    visit.stop();
    co_await Hop(home_);
}

void FetchRound::stop_others(Visit* but) {
    for (auto& visit : visits_) {
        if (visit.get() == but || !visit->is_away || visit->told_to_stop) continue;
        visit->told_to_stop = true;
        gather_.start(stop(*visit));
    }
}

struct FetchRound::Patience : Waiting {
    explicit Patience(FetchRound& round) : Waiting(&Patience::on_give_up), round(round) {}
    static void on_give_up(Waiting& waiting) { static_cast<Patience&>(waiting).round.stop_others(nullptr); }
    FetchRound& round;
};

Task<> FetchRound::run(std::vector<FetchItem>& items, Client& client) {
    for (auto& item : items) {
        if (item.error != ErrorCode::none) continue;
        auto* loop = &engine_.loop_of(item.key);
        auto visit = std::find_if(visits_.begin(), visits_.end(), [&](auto& visit) { return &visit->loop == loop; });
        if (visit == visits_.end()) {
            visits_.push_back(std::make_unique<Visit>(*this, *loop));
            visit = std::prev(visits_.end());
        }
        (*visit)->items.push_back(&item);
    }
    if (client.gone) deadline = {};
    Patience patience(*this);
    client.add(patience);
    for (auto& visit : visits_) gather_.start(travel(*visit));
    co_await gather_.done();
    client.remove(patience);
    for (auto& item : items) held += item.held;
}

}  // namespace rafka::broker::handlers
