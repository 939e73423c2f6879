#include "broker/fetch_session.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace rafka::broker {

namespace {

// What is kept for the next request, or the next session.
constexpr size_t free_max = 1024;
constexpr size_t names_min = 16;

size_t hash_of(const FetchTarget& target) {
    return (std::hash<Uuid>{}(target.topic_id) ^ std::hash<std::string_view>{}(target.topic)) * 31 + uint32_t(target.partition);
}

}  // namespace

FetchPartition::FetchPartition(FetchSession& session) : Watch(&FetchPartition::on_grown), session_(session) {}

// Its loop has come to rest, or it is nowhere.
FetchPartition::~FetchPartition() {
    if (partition) partition->unwatch(*this);
}

void FetchPartition::on_grown(Watch& watch, const Growth& growth) {
    auto& self = static_cast<FetchPartition&>(watch);
    self.session_.grown(self, growth);
}

FetchSession::~FetchSession() {
    for (auto* partition = changed_.load(); partition;) {
        auto* next = partition->next_changed_;
        if (partition->released_) delete partition;
        partition = next;
    }
    for (auto* partition : partitions_) delete partition;
    for (auto* partition : leaving_) delete partition;
}

// Where the pointer to it is, or would be.
FetchPartition** FetchSession::place_of(const FetchTarget& target) {
    auto** place = &names_[hash_of(target) & (names_.size() - 1)];
    while (*place && (*place)->target() != target) place = &(*place)->next_named_;
    return place;
}

void FetchSession::enlarge_names() {
    names_.assign(std::max(names_min, names_.size() * 2), nullptr);
    for (auto* partition : partitions_) {
        partition->next_named_ = nullptr;
        *place_of(partition->target()) = partition;
    }
}

FetchPartition& FetchSession::put(const FetchTarget& target, const FetchWish& wish) {
    if (partitions_.size() >= names_.size()) enlarge_names();
    auto** place = place_of(target);
    auto* partition = *place;
    if (!partition) {
        if (free_.empty()) free_.push_back(std::make_unique<FetchPartition>(*this));
        partition = free_.back().release();
        free_.pop_back();
        partition->topic_id = target.topic_id;
        partition->topic.assign(target.topic);
        partition->index = target.partition;
        partition->is_found = false;
        partition->found_at = no_offset;
        partition->high_watermark = partition->log_start_offset = -1;
        partition->place = next_place_++;
        partition->next_named_ = nullptr;
        partition->slot_ = partitions_.size();
        partitions_.push_back(partition);
        *place = partition;
    }
    partition->wish = wish;
    mark(*partition);
    return *partition;
}

void FetchSession::forget(const FetchTarget& target) {
    if (names_.empty()) return;
    auto** place = place_of(target);
    auto* partition = *place;
    if (!partition) return;
    *place = partition->next_named_;
    partitions_.back()->slot_ = partition->slot_;
    partitions_[partition->slot_] = partitions_.back();
    partitions_.pop_back();
    partition->forgotten_ = true;
    leaving_.push_back(partition);
}

void FetchSession::forget_all() {
    std::fill(names_.begin(), names_.end(), nullptr);
    for (auto* partition : partitions_) partition->forgotten_ = true;
    if (leaving_.empty()) leaving_.swap(partitions_);
    else leaving_.insert(leaving_.end(), partitions_.begin(), partitions_.end());
    partitions_.clear();
}

void FetchSession::release(FetchPartition& partition) {
    ASSERT(partition.forgotten_ && !partition.is_watched);
    partition.released_ = true;
    // One that is still on the list of changed ones goes when that is taken.
    if (!partition.changed_) recycle(partition);
}

void FetchSession::recycle(FetchPartition& partition) {
    std::unique_ptr<FetchPartition> owned(&partition);
    partition.forgotten_ = partition.released_ = false;
    partition.result.records = {};
    if (free_.size() < free_max) free_.push_back(std::move(owned));
}

void FetchSession::shrink() {
    ASSERT(partitions_.empty() && leaving_.empty() && !in_round());
    free_.clear();
    free_.shrink_to_fit();
    partitions_.shrink_to_fit();
    names_.clear();
    names_.shrink_to_fit();
    leaving_.shrink_to_fit();
}

void FetchSession::mark(FetchPartition& partition) {
    if (partition.changed_.exchange(true)) return;
    auto* first = changed_.load();
    do partition.next_changed_ = first;
    while (!changed_.compare_exchange_weak(first, &partition));
}

void FetchSession::mark_all() {
    for (auto* partition : partitions_) mark(*partition);
}

void FetchSession::reads_as(Isolation isolation, bool as_follower) {
    if (isolation == isolation_ && as_follower == as_follower_) return;
    isolation_ = isolation;
    as_follower_ = as_follower;
    mark_all();
}

bool FetchSession::answer(FetchPartition& partition) {
    auto& result = partition.result;
    bool named = result.records.size > 0 || result.diverging || result.error != protocol::ErrorCode::none;
    auto high_watermark = result.high_watermark.value;
    auto log_start_offset = result.log_start_offset.value;
    if (partition.high_watermark != high_watermark || partition.log_start_offset != log_start_offset) named = true;
    // When an error is gone the partition must be named again, whatever its watermark.
    partition.high_watermark = result.error == protocol::ErrorCode::none ? high_watermark : -1;
    partition.log_start_offset = log_start_offset;
    if (result.records.size > 0) partition.place = next_place_++;
    if (!result.is_idle) mark(partition);
    return named;
}

void FetchSession::answer_first(FetchPartition& partition) {
    partition.high_watermark = partition.result.high_watermark.value;
    partition.log_start_offset = partition.result.log_start_offset.value;
    // In Kafka those that are not there stand behind the others from then on.
    if (!partition.is_found) partition.place = next_place_++;
    if (!partition.result.is_idle) mark(partition);
}

void FetchSession::begin_round(int64_t bytes_missing) {
    ASSERT(!in_round());
    missing_ = bytes_missing;
    recheck_ = interrupted_ = false;
    // From here on growth is counted. What grew before is on the list, which is taken behind this.
    round_ = ++rounds_ * 2 + (isolation_ == Isolation::read_committed ? 1 : 0);
}

void FetchSession::end_round() {
    round_ = 0;
    bell.ring_here();  // Another request may wait for this.
    for (auto* partition : looked_at_) partition->looked_at_ = partition->is_due = false;
    looked_at_.clear();
    if (looked_at_.capacity() > free_max) looked_at_.shrink_to_fit();
}

void FetchSession::take_changed() {
    auto before = looked_at_.size();
    for (auto* partition = changed_.exchange(nullptr); partition;) {
        auto* next = partition->next_changed_;
        partition->changed_ = false;
        if (!partition->forgotten_) {
            partition->is_due = true;
            if (!partition->looked_at_) looked_at_.push_back(partition);
            partition->looked_at_ = true;
        } else if (partition->released_) {
            recycle(*partition);
        }
        partition = next;
    }
    auto by_place = [](auto* a, auto* b) { return a->place < b->place; };
    // Most often they were named in order, and the list has the last first.
    std::reverse(looked_at_.begin() + ptrdiff_t(before), looked_at_.end());
    if (!std::is_sorted(looked_at_.begin(), looked_at_.end(), by_place)) std::sort(looked_at_.begin(), looked_at_.end(), by_place);
}

void FetchSession::recount(FetchPartition& partition, int64_t bytes) {
    auto round = round_.load();
    auto before = partition.counted_in_ == round ? partition.counted_ : 0;
    partition.counted_in_ = round;
    partition.counted_ = bytes;
    partition.countable_ = partition.wish.bytes_max;
    if (before != bytes) missing_ -= bytes - before;
}

void FetchSession::count(FetchPartition& partition, uint64_t round, int64_t bytes) {
    if (partition.counted_in_ != round) {
        partition.counted_in_ = round;
        partition.counted_ = 0;
    }
    auto more = std::min(bytes, std::max<int64_t>(partition.countable_ - partition.counted_, 0));
    if (more == 0) return;
    partition.counted_ += more;
    auto missed = missing_.fetch_sub(more);
    if (missed > 0 && missed <= more) bell.ring();
}

void FetchSession::grown(FetchPartition& partition, const Growth& growth) {
    // First the mark, then the question: either the round that begins now takes the partition, or it is counted here.
    mark(partition);
    auto round = round_.load();
    if (round == 0) return;
    bool committed = round % 2 == 1;
    if (growth.otherwise || (committed && growth.stable_unknown)) {
        recheck_ = true;
        bell.ring();
        return;
    }
    count(partition, round, int64_t(committed ? growth.stable_bytes : growth.bytes));
}

void FetchSession::interrupt() {
    interrupted_ = true;
    bell.ring();
}

}  // namespace rafka::broker
