// Reading a log: from the tail in memory, or from the files.

#include "engine/log.hpp"

#include "base/assert.hpp"
#include "base/endian.hpp"
#include "base/log.hpp"
#include "engine/files.hpp"
#include "engine/paths.hpp"
#include "engine/record_walk.hpp"
#include "engine/scanner.hpp"

#include <algorithm>
#include <limits>

namespace rafka::engine {
namespace {

// A batch is looked for from the index entry before it: about an interval away.
constexpr uint64_t cold_slack = 8u << 10;
// Of one cold read, so that with the rest of the last block it fits into a window; a fetch that wants more comes again.
constexpr uint64_t cold_bytes_max = ColdMemory::window_max - cold_slack - 2 * block_size;

// The whole size of the batch whose first bytes these are; 0 if they are none. Our own writes, or a disk that lies.
uint64_t size_of_batch(const std::byte* at) {
    auto length = load_be<int32_t>(at + batch_at::length);
    return length < int32_t(batch_header_size - batch_size_prefix) ? 0 : uint64_t(length) + batch_size_prefix;
}

BatchView batch_in(Chunk& chunk, size_t at) {
    return BatchView::trusted(chunk.bytes(at, at + size_of_batch(chunk.data() + at)));
}

// Of a batch that may not be whole in memory: only its header is looked at.
BatchView batch_in_header(const std::byte* at) { return BatchView::trusted({at, batch_header_size}); }

// Whether these bytes begin the batch that an index entry says is there. What a file holds together may still be wrong.
bool is_of_entry(Bytes bytes, OffsetIndex::Found entry) {
    constexpr std::byte magic{2};
    return bytes.size() >= batch_header_size && bytes[batch_at::magic] == magic && batch_in_header(bytes.data()).last_offset() == entry.offset;
}

}  // namespace

// The index is wrong there. It is not built anew while others use it: whoever meets the entry begins without it.
void Log::deny(const Segment& segment, OffsetIndex::Found entry) const {
    log::warn("index does not fit its segment, not used: directory={} segment={} offset={} position={}", directory_, segment.base.value,
              entry.offset.value, entry.position);
}

Task<> Log::until_readable() {
    while (state_ == State::reloading) co_await changed_.wait();
}

// The segment that holds the offset, if any does: the last whose base is not beyond it.
size_t Log::find_segment(Offset offset) const {
    auto beyond = std::upper_bound(segments_.begin(), segments_.end(), offset,
                                   [](Offset o, const auto& segment) { return o < segment->base; });
    return beyond == segments_.begin() ? 0 : size_t(beyond - segments_.begin()) - 1;
}

Task<Result<Records>> Log::read(Offset from, uint32_t bytes_max, bool at_least_one, Isolation isolation) {
    if (state_ == State::reloading) co_await until_readable();
    if (auto errc = refusal()) co_return fail(*errc);
    Visit visit(*this);
    if (from < log_start_ || from > end_) co_return fail(Errc::offset_out_of_range);
    auto visible = visible_end(isolation);
    if (from >= visible) co_return Records{};
    if (auto* chunk = tail_.find(from)) {
        auto records = read_tail(*chunk, from, bytes_max, at_least_one, visible);
        if (isolation == Isolation::read_committed) list_aborted(records, from);
        co_return records;
    }
    for (auto i = find_segment(from); i < segments_.size(); ++i) {
        // Offsets may be missing between the end of a segment and the next.
        auto records = co_await read_cold(*segments_[i], from, bytes_max, at_least_one, visible);
        if (!records) co_return fail(records.error());
        if (!*records) continue;
        if (isolation == Isolation::read_committed) list_aborted(**records, from);
        co_return std::move(**records);
    }
    co_return Records{};
}

// Of transactions with records among these, or between `from` and them.
void Log::list_aborted(Records& records, Offset from) const {
    auto first = segments_.begin() + ptrdiff_t(find_segment(from));
    if (records.size == 0 || std::all_of(first, segments_.end(), [](auto& segment) { return segment->transactions.count() == 0; })) return;
    auto last = records.pieces.back().bytes;
    while (last.size() > size_of_batch(last.data())) last = last.subspan(size_of_batch(last.data()));
    auto to = BatchView::trusted(last).next_offset();
    for (auto at = first; at != segments_.end(); ++at) {
        if ((*at)->transactions.collect(from, to, records.aborted)) break;
    }
}

// Where in the chunk the batch begins that holds `from`, or the first behind it; its end if there is none.
size_t Log::place_in(Chunk& chunk, Offset from) const {
    auto at = chunk.begin;
    auto& segment = *chunk.segment;
    if (segment.indexes_loaded) {
        auto found = segment.index.lookup(from);
        if (found.position > chunk.position + at) at = std::min<size_t>(found.position - chunk.position, chunk.end);
    }
    while (at < chunk.end) {
        auto batch = batch_in(chunk, at);
        if (batch.last_offset() >= from) break;
        at += batch.size();
    }
    return at;
}

Records Log::read_tail(Chunk& first, Offset from, uint32_t bytes_max, bool at_least_one, Offset visible) const {
    Records records;
    auto at = place_in(first, from);
    for (auto* chunk = &first; chunk; chunk = chunk->next, at = chunk ? chunk->begin : 0) {
        auto end = at;
        if (chunk->written > at && visible == high_watermark_ && records.size + (chunk->written - at) <= bytes_max) {
            end = chunk->written;
        } else {
            while (end < chunk->written) {
                auto batch = batch_in(*chunk, end);
                if (batch.base_offset() >= visible) break;
                bool first_one = at_least_one && records.size == 0 && end == at;
                records.more = !first_one && records.size + (end - at) + batch.size() > bytes_max;
                if (records.more) break;
                end += batch.size();
            }
        }
        if (end > at) {
            records.pieces.push_back({chunk->bytes(at, end), Pin(chunk)});
            records.size += end - at;
        }
        if (end < chunk->end) break;
    }
    return records;
}

Task<Result<std::optional<Records>>> Log::read_cold(Segment& segment, Offset from, uint32_t bytes_max, bool at_least_one,
                                                    Offset visible) {
    auto limit = segment.written;
    if (limit == 0) co_return std::nullopt;
    Segment::Use use(segment, shard_.loop.now());
    CO_CHECKED(co_await ready_indexes(segment));
    CO_CHECKED(co_await open_segment(segment));
    auto entry = segment.index.lookup(from);
    uint64_t position = entry.position;
    uint64_t wanted = std::min<uint64_t>(bytes_max, cold_bytes_max) + cold_slack;
    uint64_t needed = 0;    // Of the first batch, where it is known to be large.
    bool is_short = false;  // Of memory.
    for (;;) {
        auto start = block_floor(position);
        auto length = std::min(block_ceil(limit), block_ceil(position + wanted)) - start;
        auto* chunk = shard_.cold.try_take(length);
        if (!chunk && !at_least_one) {
            Records none;
            none.more = true;
            co_return std::move(none);
        }
        if (!chunk && !is_short) {
            chunk = co_await shard_.cold.take(length);
            if (!chunk) {
                // The first batch, whoever holds the memory.
                is_short = true;
                bytes_max = 0;
                wanted = std::max(cold_slack, needed);
                continue;
            }
        }
        if (!chunk) chunk = shard_.cold.take_anyway(length);
        Pin window(chunk);
        chunk->drop();  // The pin has it.
        auto read = co_await read_up_to(segment.file, {chunk->data(), length}, start, limit - start);
        if (!read) co_return fail(read.error());
        auto filled = std::min<uint64_t>(*read, limit - start);
        auto here = [&](uint64_t at, uint64_t size) { return at - start + size <= filled; };
        auto size_at = [&](uint64_t at) { return size_of_batch(chunk->data() + (at - start)); };
        // What the disk gives back must at least be a chain of batches.
        auto broken = [&](uint64_t at) { return size_at(at) == 0 || at + size_at(at) > limit; };

        auto at = position;
        if (entry.position > 0 && at == entry.position && here(at, batch_header_size)) {
            if (!is_of_entry({chunk->data() + (at - start), filled - (at - start)}, entry)) {
                deny(segment, entry);
                entry = {};
                position = 0;
                continue;
            }
        }
        while (here(at, batch_header_size)) {
            if (broken(at)) co_return fail(Errc::corrupt_batch);
            if (batch_in_header(chunk->data() + (at - start)).last_offset() >= from) break;
            at += size_at(at);
        }
        if (at >= limit) co_return std::nullopt;
        if (!here(at, batch_header_size)) {
            if (at == position && filled < length) co_return fail(Errc::corrupt_batch);  // The file is too short.
            position = at;
            continue;
        }
        auto end = at;
        bool more = false;
        while (end < limit) {
            more = true;
            if (!here(end, batch_header_size)) break;
            if (broken(end)) co_return fail(Errc::corrupt_batch);
            auto batch = batch_in_header(chunk->data() + (end - start));
            more = batch.base_offset() < visible;
            if (!more || !here(end, size_at(end))) break;
            bool first_one = at_least_one && end == at;
            if (!first_one && end - at + size_at(end) > bytes_max) break;
            end += size_at(end);
            more = end == limit && &segment != segments_.back().get();
        }
        auto first_size = size_at(at);
        if (end == at && (at_least_one || first_size <= bytes_max) && !here(at, first_size)) {
            if (filled < length) co_return fail(Errc::corrupt_batch);
            position = at;
            wanted = std::max(wanted, first_size);
            needed = first_size;
            continue;
        }
        Records records;
        if (end > at) {
            records.pieces.push_back({chunk->bytes(at - start, end - start), std::move(window)});
            records.size = end - at;
        }
        records.more = more;
        co_return std::move(records);
    }
}

// Indexes of older segments are read when somebody asks, and built anew if they are missing or do not hold together.
Task<Result<>> Log::ready_indexes(Segment& segment) {
    while (segment.loading) co_await changed_.wait();
    if (segment.indexes_loaded) co_return Result<>();
    segment.loading = true;
    auto done = co_await segment.load_indexes(shard_.io, directory_);
    // Batches without any time are rare enough to look again.
    bool timeless = segment.written > 0 && segment.time_index.count() == 0;
    if (done && !timeless && segment.index.fits(segment.written, end_) && segment.time_index.fits(end_)) {
        segment.largest = segment.time_index.last();
    } else if (done || done.error() == Errc::malformed) {
        log::warn("indexes rebuilt: directory={} segment={}", directory_, segment.base.value);
        done = co_await build_indexes(segment);
    }
    if (!done) {
        segment.index.truncate(segment.base);
        segment.time_index.truncate(segment.base);
        segment.indexes_loaded = false;
    }
    segment.loading = false;
    changed_.notify_all();
    co_return done;
}

Task<Result<>> Log::build_indexes(Segment& segment) {
    segment.index.truncate(segment.base);
    segment.time_index.truncate(segment.base);
    segment.pace.reset();
    segment.largest = {};
    CO_CHECKED(co_await open_segment(segment));
    auto next = segment.base;
    BatchScanner scanner(segment.file, 0, segment.written);
    for (;;) {
        while (auto batch = scanner.next()) {
            bool in_order = batch->base_offset() >= next && batch->last_offset() - segment.base <= std::numeric_limits<int32_t>::max();
            if (!in_order) co_return fail(Errc::corrupt_batch);
            next = batch->next_offset();
            segment.note(*batch, uint32_t(scanner.batch_position()), options_.index_interval_bytes);
        }
        CO_TRY(bool more, co_await scanner.fill());
        if (!more) break;
    }
    segment.time_index.append(segment.largest);
    co_return Result<>();
}

// Where a read from this offset would begin: exact in memory, else up to an index interval early.
Task<Result<uint64_t>> Log::position_of(Segment& segment, Offset from) {
    if (from <= segment.base) co_return 0;
    Segment::Use use(segment, shard_.loop.now());
    auto* chunk = tail_.find(from);
    if (chunk && chunk->segment == &segment) co_return chunk->position + place_in(*chunk, from);
    CO_CHECKED(co_await ready_indexes(segment));
    co_return segment.index.lookup(from).position;
}

Task<Result<uint64_t>> Log::readable(Offset from, Isolation isolation) {
    if (state_ == State::reloading) co_await until_readable();
    if (auto errc = refusal()) co_return fail(*errc);
    Visit visit(*this);
    if (from < log_start_ || from > end_) co_return fail(Errc::offset_out_of_range);
    auto visible = visible_end(isolation);
    if (from >= visible) co_return 0;
    auto first = find_segment(from);
    CO_TRY(auto begin, co_await position_of(*segments_[first], from));
    if (visible == high_watermark_) {
        uint64_t sum = 0;
        for (auto i = first; i < segments_.size(); ++i) sum += segments_[i]->written;
        co_return sum - std::min(sum, begin);
    }
    auto last = find_segment(visible);
    CO_TRY(auto end, co_await position_of(*segments_[last], visible));
    for (auto i = first; i < last; ++i) end += segments_[i]->written;
    co_return end - std::min(end, begin);
}

Task<Result<OffsetAndTimestamp>> Log::find_by_timestamp(Timestamp time, Isolation isolation) {
    if (state_ == State::reloading) co_await until_readable();
    if (auto errc = refusal()) co_return fail(*errc);
    Visit visit(*this);
    auto fits = [time](Timestamp t) { return t >= time; };
    for (auto i = find_segment(log_start_); i < segments_.size(); ++i) {
        auto& segment = *segments_[i];
        Segment::Use use(segment, shard_.loop.now());
        CO_CHECKED(co_await ready_indexes(segment));
        if (segment.written == 0 || segment.largest.timestamp < time) continue;
        auto begin = segment.time_index.lookup(time).offset;
        auto found = co_await find_in_segment(segment, std::max(begin, log_start_), fits);
        if (!found) co_return found;
        if (found->offset == no_offset) continue;
        if (found->offset >= visible_end(isolation)) break;
        co_return found;
    }
    co_return OffsetAndTimestamp{};
}

Task<Result<OffsetAndTimestamp>> Log::find_max_timestamp(Isolation isolation) {
    if (state_ == State::reloading) co_await until_readable();
    if (auto errc = refusal()) co_return fail(*errc);
    Visit visit(*this);
    Segment* latest = nullptr;
    std::optional<Segment::Use> kept;
    for (auto i = find_segment(log_start_); i < segments_.size(); ++i) {
        auto& segment = *segments_[i];
        Segment::Use use(segment, shard_.loop.now());
        CO_CHECKED(co_await ready_indexes(segment));
        if (segment.largest.timestamp == no_timestamp) continue;
        if (latest && segment.largest.timestamp <= latest->largest.timestamp) continue;
        latest = &segment;
        kept.emplace(segment, shard_.loop.now());
    }
    if (!latest) co_return OffsetAndTimestamp{};
    auto largest = latest->largest;
    // It may be on its way to the disk.
    Durable durable(*this, largest.offset + 1);
    CO_CHECKED(co_await durable);
    auto same = [largest](Timestamp t) { return t == largest.timestamp; };
    auto found = co_await find_in_segment(*latest, largest.offset, same);
    if (found && found->offset >= visible_end(isolation)) co_return OffsetAndTimestamp{};
    co_return found;
}

// Whether the batch that the entry says is there is there. The entry of a segment's beginning always is.
Task<Result<bool>> Log::index_fits(Segment& segment, OffsetIndex::Found entry) {
    if (entry.position == 0) co_return true;
    BatchScanner scanner(segment.file, entry.position, segment.written);
    auto batch = scanner.next();
    while (!batch && scanner.end() == BatchScanner::End::open) {
        CO_CHECKED(co_await scanner.fill());
        batch = scanner.next();
    }
    bool fits = batch && batch->last_offset() == entry.offset;
    if (!fits) deny(segment, entry);
    co_return fits;
}

// The first record whose timestamp fits, in a batch whose maximum does. No batch before the one that holds `near` has any.
template <class Fits>
Task<Result<OffsetAndTimestamp>> Log::find_in_segment(Segment& segment, Offset near, Fits fits) {
    Segment::Use use(segment, shard_.loop.now());
    CO_CHECKED(co_await ready_indexes(segment));
    CO_CHECKED(co_await open_segment(segment));
    auto entry = segment.index.lookup(near);
    CO_TRY(bool fits_segment, co_await index_fits(segment, entry));
    if (!fits_segment) entry = {};
    BatchScanner scanner(segment.file, entry.position, segment.written);
    for (;;) {
        while (auto batch = scanner.next()) {
            if (batch->last_offset() < log_start_ || !fits(batch->max_timestamp())) continue;
            CO_TRY(auto walk, RecordWalk::open(*batch));
            RecordGlance record;
            for (;;) {
                CO_TRY(bool another, walk.next(record));
                if (!another) break;
                auto offset = batch->base_offset() + record.offset_delta;
                if (offset < log_start_ || !fits(record.timestamp)) continue;
                OffsetAndTimestamp found;
                found.offset = offset;
                found.timestamp = record.timestamp;
                found.leader_epoch = batch->leader_epoch();
                co_return found;
            }
        }
        CO_TRY(bool more, co_await scanner.fill());
        if (!more) co_return OffsetAndTimestamp{};
    }
}

}  // namespace rafka::engine
