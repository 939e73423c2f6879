// From the tail to the disk: one writer per log, as long as something is unwritten.

#include "engine/log.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "engine/files.hpp"
#include "engine/paths.hpp"
#include "io/errc.hpp"

#include <algorithm>
#include <cstring>

namespace rafka::engine {
namespace {

// Of one write, unless a single batch is larger. Large, as each write pays for a flush of the disk's cache. Neighbouring
// chunks hold more than the capacity of the first together, so that this stays far below the kernel's limit of pieces.
constexpr uint64_t write_bytes_max = 8u << 20;
constexpr uint32_t fruitless_max = 100;         // Writes in a row that do less than a block.
constexpr Duration reload_pause = std::chrono::seconds(1);

// What of the file lies beyond its data.
int64_t ahead(const Segment& segment) {
    return segment.file_size > segment.written ? int64_t(segment.file_size - segment.written) : 0;
}

// Takes `bytes` off the front.
void advance(std::span<iovec>& buffers, size_t bytes) {
    while (bytes > 0) {
        auto& first = buffers.front();
        auto taken = std::min(bytes, first.iov_len);
        first.iov_base = static_cast<std::byte*>(first.iov_base) + taken;
        first.iov_len -= taken;
        bytes -= taken;
        if (first.iov_len == 0) buffers = buffers.subspan(1);
    }
}

}  // namespace

void Log::start_writer() {
    if (writing_) return;
    writing_ = true;
    shard_.tasks.start(write_out());
}

Task<> Log::write_out() {
    auto write = shard_.writes.take();
    while (state_ == State::open && tail_.has_unwritten()) {
        auto written = co_await write_next(*write);
        // What fails for want of room, or before the first byte is written, leaves nothing in doubt.
        if (!written && state_ == State::open) co_await take_back(written.error());
    }
    shard_.writes.give_back(std::move(write));
    if (state_ != State::open) tail_.clear();
    writing_ = false;
    changed_.notify_all();
}

Task<Result<>> Log::write_next(Tail::Write& write) {
    auto& segment = *tail_.segment_to_write();
    if (!segment.exists) CO_CHECKED(co_await begin_segment(segment));
    if (!segment.file.is_open()) CO_CHECKED(co_await open_segment(segment));
    if (tail_.chunk_to_write()->missing > 0) CO_CHECKED(co_await fill_missing(segment, write));

    for (;;) {
        tail_.next_write(write, write_bytes_max, end_);
        auto needed = write.position + write.size;
        if (needed <= segment.file_size || !shard_.space.allocates()) break;
        if (segment.allocating) co_await changed_.wait();
        else CO_CHECKED(co_await allocate(segment, needed));
        if (state_ != State::open) co_return fail(Errc::closed);
    }

    auto& io = shard_.io;
    std::span<iovec> rest(write.buffers);
    auto position = write.position;
    uint32_t fruitless = 0;
    while (!rest.empty()) {
        Operation operation(Code::write);
        operation.file = segment.file.descriptor();
        operation.buffers = rest;
        operation.position = position;
        operation.flags = shard_.durable_writes ? flag::durable : 0;
        auto bytes = co_await Await(io, operation);
        if (!bytes && bytes.error() == Errc::unsupported && shard_.durable_writes) {
            shard_.durable_writes = false;
            log::warn("the file system takes no durable writes: each is followed by a sync: directory={}", directory_);
            continue;
        }
        // After a short direct write the next one must begin at a block again.
        auto taken = bytes ? (segment.direct ? block_floor(*bytes) : *bytes) : 0;
        // Less than a block is no progress, but no failure either.
        if (bytes && *bytes > 0 && taken == 0 && ++fruitless < fruitless_max) continue;
        if (taken == 0) {
            auto errc = bytes ? Errc::io_error : bytes.error();
            // For want of room the file did not grow, and what is durable in it stays so: the rest is taken back.
            if (errc == Errc::disk_full) space_ran_out_at_ = shard_.loop.now();
            else go_offline(errc, "write");
            co_return fail(errc);
        }
        position += taken;
        advance(rest, taken);
    }
    if (!shard_.durable_writes) {
        auto synced = co_await sync_file(segment.file, flag::data_only);
        if (!synced) {
            go_offline(synced.error(), "sync");
            co_return synced;
        }
    }

    auto before = ahead(segment);
    auto bytes = write.end - segment.written;
    segment.written = write.end;
    segment.file_size = std::max(segment.file_size, write.position + write.size);
    shard_.space.claim(ahead(segment) - before);
    tail_.written(write);
    committed(write.end_offset, bytes);
    if (wants_more(segment)) {
        segment.allocating = true;
        ++background_;
        shard_.tasks.start(allocate_ahead(segment));
    }
    co_return Result<>();
}

// The first block to write may begin with the end of a batch that is no longer in memory.
Task<Result<>> Log::fill_missing(Segment& segment, Tail::Write& write) {
    while (auto* chunk = tail_.chunk_to_write()) {
        if (chunk->missing == 0) co_return Result<>();
        auto* block = write.block.data();
        write.block_used = block_size;
        auto read = co_await read_up_to(segment.file, {block, block_size}, chunk->position, chunk->missing);
        if (!read || *read < chunk->missing) {
            auto errc = read ? Errc::io_error : read.error();
            go_offline(errc, "read of the last block");
            co_return fail(errc);
        }
        // A newer chunk that begins in the same block took over what was missing there.
        for (; chunk && chunk->missing > 0; chunk = chunk->next) {
            std::memcpy(chunk->data(), block, chunk->missing);
            chunk->missing = 0;
        }
    }
    co_return Result<>();
}

Task<Result<>> Log::open_segment(Segment& segment) {
    while (segment.opening) co_await changed_.wait();
    if (segment.file.is_open()) co_return Result<>();
    segment.opening = true;
    auto flags = flag::write | (segment.direct ? flag::direct : 0);
    auto file = co_await io::File::open(shard_.io, segment.path(directory_, log_suffix), flags);
    segment.opening = false;
    changed_.notify_all();
    if (!file) co_return fail(file.error());
    segment.file = std::move(*file);
    co_return Result<>();
}

// The files of a segment that so far was only in memory. The one before it is cut to its length first: a crash must not
// leave zeros in front of a segment that follows.
Task<Result<>> Log::begin_segment(Segment& segment) {
    auto& io = shard_.io;
    auto at = std::find_if(segments_.begin(), segments_.end(), [&](auto& other) { return other.get() == &segment; });
    ASSERT(at != segments_.end());
    Segment* previous = at == segments_.begin() ? nullptr : std::prev(at)->get();
    if (previous) {
        while (previous->allocating) co_await changed_.wait();
        CO_CHECKED(co_await open_segment(*previous));
        auto cut = co_await truncate_file(previous->file, previous->size);
        if (cut) cut = co_await sync_file(previous->file);
        if (!cut) {
            go_offline(cut.error(), "truncation");
            co_return cut;
        }
        shard_.space.release(ahead(*previous));
        previous->file_size = previous->size;
    }
    segment.direct = shard_.direct;
    auto flags = flag::write | flag::create | flag::truncate | (segment.direct ? flag::direct : 0);
    CO_TRY(auto file, co_await io::File::open(io, segment.path(directory_, log_suffix), flags));
    segment.file = std::move(file);
    segment.file_size = 0;
    CO_CHECKED(co_await io::sync_directory(io, directory_));
    segment.exists = true;
    if (previous) {
        log::debug("segment begun: directory={} offset={}", directory_, segment.base.value);
        ++background_;
        shard_.tasks.start(finish_segment(*previous, segment));
    }
    co_return Result<>();
}

// Beside the writer: indexes of a segment that will not grow any more, and the producers' state behind it.
Task<> Log::finish_segment(Segment& segment, Segment& next) {
    auto completed = co_await complete_segment(segment);
    if (completed) {
        auto content = std::exchange(next.snapshot, {});
        completed = co_await write_snapshot(next.base, std::move(content));
    }
    // The recovery point stays behind it, and the next checkpoint tries again.
    if (!completed) log::warn("segment not finished: directory={} offset={} error={}", directory_, segment.base.value, to_text(completed.error()));
    --background_;
    changed_.notify_all();
}

// Requires that the .log has been cut and synced.
Task<Result<>> Log::complete_segment(Segment& segment) {
    if (segment.complete) co_return Result<>();
    CO_CHECKED(co_await save_indexes(segment));
    segment.complete = true;
    co_return Result<>();
}

// One at a time: a checkpoint that began before the segment was sealed would cut off its last entries.
Task<Result<>> Log::save_indexes(Segment& segment) {
    while (segment.saving) co_await changed_.wait();
    segment.saving = true;
    auto saved = co_await segment.write_indexes(shard_.io, directory_);
    segment.saving = false;
    changed_.notify_all();
    co_return saved;
}

bool Log::wants_more(const Segment& segment) const {
    if (&segment != segments_.back().get() || segment.allocating || !shard_.space.allocates()) return false;
    return segment.file_size < options_.segment_bytes && segment.file_size - segment.size < last_step_ / 2;
}

Task<> Log::allocate_ahead(Segment& segment) {
    auto allocated = co_await allocate(segment, 0);
    // A warning only if an append must be refused for it.
    if (!allocated) log::debug("no space ahead: directory={} error={}", directory_, to_text(allocated.error()));
    --background_;
    changed_.notify_all();
}

// Makes the .log at least `needed` bytes long, and a step longer if that is to be had.
Task<Result<>> Log::allocate(Segment& segment, uint64_t needed) {
    segment.allocating = true;
    auto& io = shard_.io;
    auto& space = shard_.space;
    auto now = shard_.loop.now();
    if (space.due(now)) {
        FileSystemSpace found;
        Operation operation(Code::space);
        operation.path = directory_.c_str();
        operation.out = &found;
        if (co_await Await(io, operation)) space.saw(found.usable_bytes);
    }
    auto step = allocation_step(last_step_, now - last_allocation_, shard_.options.allocation_step_min, shard_.options.allocation_step_max);
    auto limit = std::max<uint64_t>(block_ceil(options_.segment_bytes), needed);
    auto must = needed > segment.file_size ? needed - segment.file_size : 0;
    auto wanted = std::max(must, std::min(step, limit - std::min(limit, segment.file_size)));
    auto length = space.grant(wanted, must);
    Result<uint32_t> done{};
    if (length > 0) {
        for (;;) {
            Operation operation(Code::allocate);
            operation.file = segment.file.descriptor();
            operation.position = segment.file_size;
            operation.length = length;
            done = co_await Await(io, operation);
            if (done || done.error() != Errc::disk_full || length == must || must == 0) break;
            length = must;
        }
    }
    segment.allocating = false;
    changed_.notify_all();
    if (!done && done.error() == Errc::unsupported) {
        if (space.stop_allocating()) log::info("the file system does not allocate ahead: files grow as they are written");
        co_return Result<>();
    }
    if (!done) {
        if (done.error() == Errc::disk_full) space_ran_out_at_ = shard_.loop.now();
        co_return fail(done.error());
    }
    auto before = ahead(segment);
    segment.file_size += length;
    space.claim(ahead(segment) - before);
    last_step_ = step;
    last_allocation_ = now;
    co_return Result<>();
}

// Nothing of what is unwritten was promised to anybody: it leaves the log, which is then as its files are.
Task<> Log::take_back(Errc errc) {
    state_ = State::reloading;
    refused_for_ = errc;
    tell_refused(errc);
    refuse_waiting(errc, high_watermark_);
    tail_.clear();
    shard_.chunks.admit_next();
    while (visits_ > 0 || background_ > 0) co_await changed_.wait();
    if (state_ != State::reloading) co_return;  // It has ended meanwhile.
    Loading how;
    how.recovery_point = high_watermark_;
    how.log_start = log_start_;
    auto end = high_watermark_;
    // The file may lack epochs that batches below the end have, or that began where nothing was written since.
    auto epochs = epochs_;
    auto leader = epochs.latest();
    auto recovery_point = recovery_point_;
    co_await forget();
    auto loaded = co_await load(how);
    // Whoever reads meanwhile waits: what is short now comes free again.
    while (!loaded && io::is_shortage(loaded.error()) && state_ == State::reloading && !shard_.closing) {
        log::warn("files not read again yet: directory={} error={}", directory_, to_text(loaded.error()));
        co_await shard_.ended.wait_until(shard_.loop.now() + reload_pause);
        co_await forget();
        loaded = co_await load(how);
    }
    if (loaded && end_ != end) loaded = fail(Errc::corrupt_batch);
    if (state_ != State::reloading) co_return;
    if (!loaded) {
        go_offline(loaded.error(), "reload");
    } else {
        epochs.truncate_from_end(end);
        if (leader > epochs.latest()) epochs.assign(leader, end);
        epochs_ = std::move(epochs);
        epochs_changed_ = true;
        recovery_point_ = recovery_point;  // Not further than the file of epochs is right.
        state_ = State::open;
        changed_.notify_all();
    }
}

Task<Result<>> Log::write_snapshot(Offset offset, std::vector<std::byte> content) {
    CO_CHECKED(co_await io::write_file_atomically(shard_.io, directory_ + "/" + file_name(offset, snapshot_suffix), content));
    auto at = std::lower_bound(snapshots_.begin(), snapshots_.end(), offset);
    if (at == snapshots_.end() || *at != offset) snapshots_.insert(at, offset);
    // One for each segment, and the newest.
    for (size_t i = 0; i + 1 < snapshots_.size();) {
        auto old = snapshots_[i];
        bool of_segment = std::any_of(segments_.begin(), segments_.end(), [&](auto& segment) { return segment->base == old; });
        if (of_segment) {
            ++i;
            continue;
        }
        snapshots_.erase(snapshots_.begin() + ptrdiff_t(i));
        CO_CHECKED(co_await remove_if_there(shard_.io, directory_ + "/" + file_name(old, snapshot_suffix)));
        i = 0;
    }
    co_return Result<>();
}

}  // namespace rafka::engine
