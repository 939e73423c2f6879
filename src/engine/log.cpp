#include "engine/log.hpp"

#include "base/assert.hpp"
#include "base/copy.hpp"
#include "base/log.hpp"
#include "engine/checkpoint_file.hpp"
#include "engine/files.hpp"
#include "engine/paths.hpp"

#include <algorithm>

namespace rafka::engine {
namespace {
// After the disk was full: how long appends that need more of it are refused at once.
constexpr Duration space_pause = std::chrono::seconds(1);
constexpr Duration between_lines = std::chrono::seconds(10);
}  // namespace

Log::Log(Shard& shard, PartitionKey key, std::string topic, std::string directory, LogOptions options)
    : shard_(shard), key_(key), topic_(std::move(topic)), directory_(std::move(directory)), options_(std::move(options)),
      changed_(shard.loop), tail_(shard.chunks) {}

Log::~Log() { ASSERT(visits_ == 0 && background_ == 0 && !writing_); }

std::optional<Errc> Log::refusal() const {
    switch (state_) {
        case State::open: return std::nullopt;
        case State::reloading: return refused_for_;
        case State::offline: return Errc::storage_offline;
        case State::ended: return Errc::unknown_partition;
    }
    UNREACHABLE();
}

Task<Result<Appended>> Log::append(Bytes batch, Origin origin, std::vector<RejectedRecord>* rejected) {
    if (auto errc = refusal()) co_return fail(*errc);
    Visit visit(*this);
    auto accepted = validate(batch, origin, options_, shard_.io.wall(), rejected);
    if (!accepted) co_return fail(accepted.error());
    auto bytes = accepted->bytes(batch);

    co_await shard_.chunks.room(bytes.size());
    auto place = [&]() -> Result<Appended> {
        if (auto errc = refusal()) return fail(*errc);
        auto incoming = BatchView::trusted(bytes);
        TRY(auto duplicate, producers_.check(incoming, origin));
        Appended appended;
        appended.log_append_time = accepted->log_append_time;
        appended.log_start_offset = log_start_;
        if (duplicate) {
            appended.base_offset = duplicate->base_offset();
            appended.duplicate = true;
            appended.log_append_time = duplicate->timestamp;
            return appended;
        }
        if (end_ > offset_max) return fail(Errc::offset_out_of_range);
        if (space_ran_out(bytes.size())) {
            tell_refused(Errc::disk_full);
            return fail(Errc::disk_full);
        }
        appended.base_offset = take_in(*accepted, bytes, origin);
        return appended;
    };
    auto appended = place();
    shard_.chunks.admit_next();
    if (!appended) co_return fail(appended.error());
    // A duplicate is answered when its original is durable, which may still be on its way.
    auto end = appended->base_offset + accepted->offset_count;
    Durable durable(*this, end);
    CO_CHECKED(co_await durable);
    co_return appended;
}

Offset Log::take_in(const Accepted& accepted, Bytes bytes, Origin origin) {
    auto base = end_;
    auto last = base + (accepted.offset_count - 1);
    auto now = shard_.io.wall();
    if (active().must_roll(bytes.size(), accepted.max_timestamp, last, now, options_)) roll(now);
    auto& segment = active();
    auto position = segment.size;
    ASSERT(position <= UINT32_MAX);

    std::optional<LeaderEpoch> epoch;
    if (origin != Origin::controller) {
        if (epochs_.empty()) epochs_changed_ |= epochs_.assign(0, base);  // Nobody has named an epoch yet.
        epoch = epochs_.latest();
    }
    auto room = tail_.append(segment, base, bytes.size());
    copy_records(room.data(), bytes);
    accepted.stamp(room, base, epoch);

    auto stored = BatchView::trusted(room);
    ASSERT(stored.base_offset() == base && stored.last_offset() == last);
    if (stored.leader_epoch() > epochs_.latest()) epochs_changed_ |= epochs_.assign(stored.leader_epoch(), base);
    segment.note(stored, uint32_t(position), options_.index_interval_bytes);
    segment.size += bytes.size();
    end_ = last + 1;
    if (auto ended = producers_.note(stored); ended && ended->aborted) segment.transactions.append(*ended);
    dirty_ = true;
    last_append_ = shard_.loop.now();
    start_writer();
    return base;
}

void Log::roll(Timestamp now) {
    auto& sealed = active();
    ASSERT(end_ > sealed.base);
    sealed.time_index.append(sealed.largest);
    auto next = std::make_unique<Segment>(end_, options_.segment_index_bytes, shard_.io.random());
    next->created = now;
    // As it is here and now: by the time the files are made, more batches have come.
    next->snapshot = producers_.encode_snapshot();
    segments_.push_back(std::move(next));
}

bool Log::space_ran_out(size_t size) const {
    if (space_ran_out_at_ == never || shard_.loop.now() - space_ran_out_at_ > space_pause) return false;
    auto& segment = *segments_.back();
    return block_ceil(segment.size + size) > segment.file_size;
}

void Log::tell_refused(Errc errc) {
    auto now = shard_.loop.now();
    if (refused_at_ != never && now - refused_at_ < between_lines) return;
    refused_at_ = now;
    log::warn("appends refused: directory={} offset={} error={}", directory_, high_watermark_.value, to_text(errc));
}

void Log::tell_accepted() {
    if (shard_.loop.now() - refused_at_ < between_lines) return;
    refused_at_ = never;
    log::info("appends accepted again: directory={} offset={}", directory_, high_watermark_.value);
}

void Log::Durable::await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    auto* last = log_.last_waiting_;
    if (!last || last->end_ <= end_) {
        (last ? last->next_ : log_.first_waiting_) = this;
        log_.last_waiting_ = this;
        return;
    }
    // A duplicate waits for an earlier offset than the newest.
    auto** place = &log_.first_waiting_;
    while ((*place)->end_ <= end_) place = &(*place)->next_;
    next_ = *place;
    *place = this;
}

void Log::committed(Offset end, uint64_t bytes) {
    ASSERT(end > high_watermark_ && end <= end_);
    auto before = std::exchange(high_watermark_, end);
    if (refused_at_ != never) tell_accepted();
    producers_.high_watermark_moved(end);
    while (first_waiting_ && first_waiting_->end_ <= end) {
        auto* durable = first_waiting_;
        first_waiting_ = durable->next_;
        if (!first_waiting_) last_waiting_ = nullptr;
        shard_.loop.schedule(durable->waiter_);
    }
    auto stable = stable_end();
    Growth growth;
    growth.bytes = bytes;
    if (stable > last_stable_) {
        // How many bytes lie between two stable offsets is only known if all of them came now.
        if (stable == end && last_stable_ == before) growth.stable_bytes = bytes;
        else growth.stable_unknown = true;
    }
    last_stable_ = stable;
    tell_watches(growth);
}

// Where a reader of committed records must stop.
Offset Log::stable_end() const {
    auto unstable = producers_.first_unstable_offset(high_watermark_);
    return unstable == no_offset ? high_watermark_ : std::clamp(unstable, log_start_, high_watermark_);
}

void Log::refuse_waiting(Errc errc, Offset beyond) {
    auto** place = &first_waiting_;
    last_waiting_ = nullptr;
    while (auto* durable = *place) {
        if (durable->end_ <= beyond) {
            last_waiting_ = durable;
            place = &durable->next_;
            continue;
        }
        *place = durable->next_;
        durable->failure_ = errc;
        shard_.loop.schedule(durable->waiter_);
    }
}

void Log::go_offline(Errc errc, const char* what) {
    if (state_ == State::offline) return;
    state_ = State::offline;
    log::error("partition offline until a restart: {} failed: directory={} offset={} error={}", what, directory_,
               high_watermark_.value, to_text(errc));
    refuse_waiting(Errc::storage_offline, no_offset);
    changed_.notify_all();
    tell_watches({.otherwise = true});
}

Task<Result<>> Log::become_leader(LeaderEpoch epoch) {
    if (auto errc = refusal()) co_return fail(*errc);
    Visit visit(*this);
    if (epoch == epochs_.latest() && !epochs_changed_) co_return Result<>();
    epochs_changed_ |= epochs_.assign(epoch, end_);
    auto written = co_await write_epochs();
    tell_watches({.otherwise = true});
    co_return written;
}

Task<Result<>> Log::write_epochs() {
    if (!epochs_changed_) co_return Result<>();
    epochs_changed_ = false;
    auto text = epochs_.to_text();
    auto written = co_await io::write_file_atomically(shard_.io, directory_ + "/" + std::string(leader_epoch_file), as_bytes(text));
    if (!written) epochs_changed_ = true;
    co_return written;
}

uint64_t Log::size_bytes() const {
    uint64_t sum = 0;
    for (auto& segment : segments_) sum += segment->size;
    return sum;
}

}  // namespace rafka::engine
