// What a log does beside appends and reads: checkpoints, giving back what it does not need, its end.

#include "engine/log.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "engine/files.hpp"
#include "engine/paths.hpp"

#include <algorithm>

namespace rafka::engine {
namespace {
// With less behind the newest snapshot, reading the log again is cheaper than writing one.
constexpr uint64_t snapshot_bytes_min = 1u << 20;
}  // namespace

Task<Result<Offset>> Log::checkpoint() {
    if (state_ != State::open || high_watermark_ == recovery_point_) co_return recovery_point_;
    Visit visit(*this);
    auto target = high_watermark_;
    for (size_t i = 0; i + 1 < segments_.size(); ++i) {
        auto& segment = *segments_[i];
        if (segment.complete) continue;
        while (background_ > 0) co_await changed_.wait();
        if (state_ != State::open) co_return recovery_point_;
        // The next one exists only if this one has been cut.
        if (!segments_[i + 1]->exists) {
            target = std::min(target, segment.base);
            break;
        }
        CO_CHECKED(co_await complete_segment(segment));
    }
    auto& segment = active();
    if (segment.exists) {
        CO_CHECKED(co_await save_indexes(segment));
        auto newest = snapshots_.empty() ? log_start_ : snapshots_.back();
        auto behind = newest <= segment.base ? segment.size : segment.size - std::min<uint64_t>(segment.size, segment.index.lookup(newest).position);
        if (behind >= snapshot_bytes_min) {
            auto end = end_;
            auto content = producers_.encode_snapshot();
            Durable durable(*this, end);
            CO_CHECKED(co_await durable);
            CO_CHECKED(co_await write_snapshot(end, std::move(content)));
        }
    }
    CO_CHECKED(co_await write_epochs());
    if (state_ == State::open) recovery_point_ = std::max(recovery_point_, target);
    co_return recovery_point_;
}

// The .log is cut to its batches, and that is durable.
Task<Result<>> Log::cut_segment(Segment& segment) {
    if (segment.file_size == segment.size) co_return Result<>();
    CO_CHECKED(co_await open_segment(segment));
    CO_CHECKED(co_await truncate_file(segment.file, segment.size));
    CO_CHECKED(co_await sync_file(segment.file));
    shard_.space.release(int64_t(segment.file_size - segment.size));
    segment.file_size = segment.size;
    co_return Result<>();
}

Task<Result<>> Log::close() {
    while (state_ == State::reloading || (state_ == State::open && (writing_ || tail_.has_unwritten()))) co_await changed_.wait();
    bool whole = state_ == State::open;
    co_await end();
    if (!whole) co_return fail(Errc::storage_offline);
    Result<> done;
    for (auto& segment : segments_) {
        bool last = segment == segments_.back();
        // After a kill the time index may lack its end though nothing was appended since.
        bool lacks_time = segment->time_index.last().timestamp < segment->largest.timestamp;
        if (segment->complete || (last && !dirty_ && !lacks_time)) continue;
        if (last) {
            segment->time_index.append(segment->largest);
            done = co_await cut_segment(*segment);
        }
        if (done) done = co_await complete_segment(*segment);
        if (!done) break;
    }
    if (done) done = co_await write_epochs();
    bool snapshot = !snapshots_.empty() && snapshots_.back() == end_;
    if (done && !snapshot && end_ > log_start_) done = co_await write_snapshot(end_, producers_.encode_snapshot());
    if (done) recovery_point_ = end_;
    for (auto& segment : segments_) {
        if (segment->file.is_open()) co_await close_file(std::move(segment->file));
    }
    co_return done;
}

Task<> Log::end() {
    if (state_ != State::ended) {
        state_ = State::ended;
        refuse_waiting(Errc::unknown_partition, no_offset);
        changed_.notify_all();
        tell_watches({.otherwise = true});
    }
    while (writing_ || visits_ > 0 || background_ > 0) co_await changed_.wait();
    tail_.clear();
    shard_.chunks.admit_next();
}

Task<> Log::close_files() {
    for (auto& segment : segments_) {
        shard_.space.release(segment->file_size > segment->written ? int64_t(segment->file_size - segment->written) : 0);
        segment->file_size = segment->written;
        if (segment->file.is_open()) co_await close_file(std::move(segment->file));
    }
}

Task<> Log::relax(Instant unused_since) {
    if (state_ != State::open) co_return;
    Visit visit(*this);
    std::vector<io::File> files;
    for (size_t i = 0; i + 1 < segments_.size(); ++i) {
        auto& segment = *segments_[i];
        if (segment.opening || segment.loading || segment.saving || segment.users > 0 || !segment.complete || segment.last_used > unused_since) continue;
        // The files have all of it.
        segment.index.truncate(segment.base);
        segment.time_index.truncate(segment.base);
        segment.indexes_loaded = false;
        if (segment.file.is_open()) files.push_back(std::move(segment.file));
    }
    for (auto& file : files) co_await close_file(std::move(file));

    auto& segment = active();
    bool idle = state_ == State::open && last_append_ <= unused_since && !writing_ && background_ == 0 && segment.users == 0 && !segment.opening;
    if (!idle || !segment.file.is_open()) co_return;
    tail_.drop_written();
    // In the writer's place: nothing is written while the file is cut.
    writing_ = true;
    segment.opening = true;
    auto keep = block_ceil(segment.size);
    if (segment.file_size > keep + shard_.options.allocation_step_min) {
        // Synced, so that no order of events brings the shorter length back behind later writes.
        auto cut = co_await truncate_file(segment.file, keep);
        if (cut) cut = co_await sync_file(segment.file);
        if (!cut) {
            go_offline(cut.error(), "truncation");
        } else {
            shard_.space.release(int64_t(segment.file_size - keep));
            segment.file_size = keep;
            last_step_ = 0;
        }
    }
    co_await close_file(std::move(segment.file));
    segment.opening = false;
    writing_ = false;
    changed_.notify_all();
    if (tail_.has_unwritten()) start_writer();
}

}  // namespace rafka::engine
