// From the files to a log (Kafka's LogLoader): after a clean close they are trusted; after a crash what lies beyond the
// recovery point is read batch by batch, and the first that is not whole ends the log.

#include "engine/log.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "engine/checkpoint_file.hpp"
#include "engine/files.hpp"
#include "engine/paths.hpp"
#include "engine/scanner.hpp"
#include "io/errc.hpp"

#include <algorithm>
#include <limits>

namespace rafka::engine {
namespace {

bool ends_with(std::string_view name, std::string_view suffix) { return name.ends_with(suffix); }

}  // namespace

Task<Result<>> Log::create() {
    auto& io = shard_.io;
    CO_CHECKED(co_await io::make_directories(io, directory_));
    // First of all, so that no directory with data is without its topic's id.
    auto metadata = partition_metadata_text(key_.topic_id);
    CO_CHECKED(co_await io::write_file_atomically(io, directory_ + "/" + std::string(partition_metadata_file), as_bytes(metadata)));
    CO_CHECKED(co_await start_empty(Offset{0}));
    auto parent = directory_.substr(0, directory_.rfind('/'));
    co_return co_await io::sync_directory(io, parent);
}

// An empty log that begins at `start`, with its files.
Task<Result<>> Log::start_empty(Offset start) {
    auto& io = shard_.io;
    ASSERT(segments_.empty());
    auto segment = std::make_unique<Segment>(start, options_.segment_index_bytes, shard_.io.random());
    segment->created = io.wall();
    segment->direct = shard_.direct;
    for (auto suffix : {log_suffix, index_suffix, time_index_suffix}) {
        CO_TRY(auto file, co_await io::File::open(io, segment->path(directory_, suffix), flag::write | flag::create | flag::truncate));
        co_await close_file(std::move(file));
    }
    CO_CHECKED(co_await io::sync_directory(io, directory_));
    segment->exists = true;
    segments_.push_back(std::move(segment));
    log_start_ = end_ = high_watermark_ = last_stable_ = recovery_point_ = start;
    producers_.reset(start);
    co_return Result<>();
}

// Everything that was known of the files.
Task<> Log::forget() {
    ASSERT(!tail_.has_unwritten() && background_ == 0);
    tail_.clear();
    for (auto& segment : segments_) {
        if (segment->file_size > segment->written) shard_.space.release(int64_t(segment->file_size - segment->written));
        if (segment->file.is_open()) co_await close_file(std::move(segment->file));
    }
    segments_.clear();
    snapshots_.clear();
    producers_.reset(Offset{0});
    epochs_ = {};
    epochs_changed_ = false;
}

Task<Result<>> Log::load(Loading how) {
    auto& io = shard_.io;
    CO_TRY(auto entries, co_await io::list(io, directory_));
    std::erase_if(entries, [](auto& entry) { return entry.is_directory; });
    CO_CHECKED(co_await tidy_directory(entries));
    CO_CHECKED(co_await load_epochs(how));
    CO_CHECKED(co_await load_segments(entries, how));

    if (!segments_.empty() && end_ < how.log_start) {
        log::warn("log ends before its start, all of it goes: directory={} end={} start={}", directory_, end_.value, how.log_start.value);
        CO_CHECKED(co_await remove_segments_from(0));
        epochs_changed_ |= epochs_.clear();
    }
    if (segments_.empty()) CO_CHECKED(co_await start_empty(how.log_start));
    log_start_ = std::max(how.log_start, segments_.front()->base);
    epochs_changed_ |= epochs_.truncate_from_end(end_);
    epochs_changed_ |= epochs_.truncate_from_start(log_start_);
    auto epochs_written = co_await write_epochs();
    if (!epochs_written && !io::is_shortage(epochs_written.error())) co_return epochs_written;
    auto whole_below = how.clean ? end_ : std::min(end_, how.recovery_point);
    CO_CHECKED(co_await load_transactions(entries, whole_below));
    CO_CHECKED(co_await load_producers(how.clean, whole_below));
    high_watermark_ = end_;
    // Behind what the file of epochs lacks, the next start reads them from the batches again.
    recovery_point_ = epochs_written ? end_ : std::min(how.recovery_point, end_);
    producers_.high_watermark_moved(end_);
    last_stable_ = stable_end();
    // Most logs will not be touched soon.
    for (auto& segment : segments_) {
        if (segment->file.is_open()) co_await close_file(std::move(segment->file));
    }
    co_return Result<>();
}

// The suffix protocol: what a replacement or a deletion left behind is finished or undone.
Task<Result<>> Log::tidy_directory(std::vector<DirectoryEntry>& entries) {
    auto& io = shard_.io;
    auto path = [&](const std::string& name) { return directory_ + "/" + name; };
    auto offset_in = [](const std::string& name) {
        auto file = offset_file_of(name);
        return file ? file->offset : no_offset;
    };
    bool changed = false;
    auto smallest_cleaned = Offset{std::numeric_limits<int64_t>::max()};
    for (auto& entry : entries) {
        if (ends_with(entry.name, cleaned_suffix)) smallest_cleaned = std::min(smallest_cleaned, offset_in(entry.name));
    }
    std::vector<std::string> swaps;
    for (auto& entry : entries) {
        auto& name = entry.name;
        // Deleted metadata snapshots are the business of those who keep them.
        bool goes = ends_with(name, deleted_suffix) && !ends_with(name, ".checkpoint.deleted");
        goes |= ends_with(name, cleaned_suffix);
        bool is_swap = ends_with(name, swap_suffix) && offset_in(name) != no_offset;
        goes |= is_swap && offset_in(name) >= smallest_cleaned;
        if (goes) {
            CO_CHECKED(co_await remove_if_there(io, path(name)));
            changed = true;
        } else if (is_swap) {
            swaps.push_back(name);
        }
    }
    if (!swaps.empty()) {
        // What the swapped segments replace lies between the first's base and the last's end.
        auto first = Offset{std::numeric_limits<int64_t>::max()};
        auto last = no_offset;
        for (auto& name : swaps) {
            if (!ends_with(name, std::string(log_suffix) + std::string(swap_suffix))) continue;
            auto base = offset_in(name);
            auto next = base;
            CO_TRY(auto status, co_await io::status_of(io, path(name)));
            CO_TRY(auto file, co_await io::File::open(io, path(name), flag::read_only));
            Result<> scanned;
            {
                BatchScanner scanner(file, 0, status.size);
                for (;;) {
                    while (auto batch = scanner.next()) next = batch->next_offset();
                    auto more = co_await scanner.fill();
                    if (!more) scanned = fail(more.error());
                    if (!more || !*more) break;
                }
            }
            co_await close_file(std::move(file));
            CO_CHECKED(scanned);
            first = std::min(first, base);
            last = std::max(last, next);
        }
        for (auto& entry : entries) {
            auto offset = offset_in(entry.name);
            if (ends_with(entry.name, swap_suffix) || offset == no_offset || offset < first || offset >= last) continue;
            if (ends_with(entry.name, ".checkpoint")) continue;
            CO_CHECKED(co_await remove_if_there(io, path(entry.name)));
        }
        for (auto& name : swaps) {
            CO_CHECKED(co_await io::rename(io, path(name), path(name.substr(0, name.size() - swap_suffix.size()))));
        }
        log::info("interrupted replacement of segments finished: directory={}", directory_);
        changed = true;
    }
    if (changed) {
        CO_CHECKED(co_await io::sync_directory(io, directory_));
        CO_TRY(auto again, co_await io::list(io, directory_));
        entries = std::move(again);
        std::erase_if(entries, [](auto& entry) { return entry.is_directory; });
        }
    co_return Result<>();
}

Task<Result<>> Log::load_epochs(Loading& how) {
    auto text = co_await io::read_file(shard_.io, directory_ + "/" + std::string(leader_epoch_file));
    if (!text && text.error() == Errc::not_found) co_return Result<>();
    if (!text) co_return fail(text.error());
    auto epochs = Epochs::of_text(as_text(*text));
    if (epochs) {
        epochs_ = std::move(*epochs);
        co_return Result<>();
    }
    // The batches know them as well.
    log::warn("leader epochs read from the log, their file does not parse: directory={}", directory_);
    how.clean = false;
    how.recovery_point = Offset{0};
    co_return Result<>();
}

Task<Result<>> Log::load_segments(const std::vector<DirectoryEntry>& entries, Loading how) {
    auto& io = shard_.io;
    std::vector<Offset> indexes, time_indexes;
    for (auto& entry : entries) {
        auto file = offset_file_of(entry.name);
        if (!file) continue;
        if (file->suffix == log_suffix) {
            CO_TRY(auto status, co_await io::status_of(io, directory_ + "/" + entry.name));
            auto segment = std::make_unique<Segment>(file->offset, options_.segment_index_bytes, shard_.io.random());
            segment->size = segment->written = segment->file_size = status.size;
            segment->created = io.wall();
            segment->direct = shard_.direct;
            segment->exists = true;
            segment->indexes_loaded = false;
            segments_.push_back(std::move(segment));
        } else if (file->suffix == snapshot_suffix) {
            snapshots_.push_back(file->offset);
        } else if (file->suffix == index_suffix) {
            indexes.push_back(file->offset);
        } else if (file->suffix == time_index_suffix) {
            time_indexes.push_back(file->offset);
        }
    }
    end_ = no_offset;
    if (segments_.empty()) co_return Result<>();

    auto has = [](const std::vector<Offset>& in, Offset base) { return std::binary_search(in.begin(), in.end(), base); };
    bool recovered = false;
    auto next = segments_.front()->base;
    for (size_t i = 0; i < segments_.size(); ++i) {
        auto& segment = *segments_[i];
        bool last = i + 1 == segments_.size();
        auto bound = last ? Offset{std::numeric_limits<int64_t>::max()} : segments_[i + 1]->base;
        bool whole = has(indexes, segment.base) && has(time_indexes, segment.base);
        // Below the recovery point only missing indexes are a reason to read a segment. One that ends right there may have
        // been the newest when the point was taken, and then lacks its last time entry.
        bool unsure = !how.clean && bound >= how.recovery_point;
        if (!unsure && whole && !last) {
            segment.complete = true;
            next = bound;
            continue;
        }
        if (!unsure && !last) {
            CO_CHECKED(co_await restore_indexes(segment));
            next = bound;
            continue;
        }
        ASSERT(segment.base >= next);
        next = segment.base;
        if (!unsure && whole) {
            CO_CHECKED(co_await find_end(segment, next));
            continue;
        }
        recovered = true;
        bool cut = false;
        CO_CHECKED(co_await recover_segment(segment, unsure ? how.recovery_point : Offset{0}, bound, next, cut));
        if (cut && !last) {
            log::warn("segments behind a broken batch removed: directory={} offset={} count={}", directory_, next.value, segments_.size() - i - 1);
            CO_CHECKED(co_await remove_segments_from(i + 1));
        }
    }
    end_ = next;
    // What a crash left half in a cache must not become visible and vanish again.
    if (recovered) CO_CHECKED(co_await io::sync_directory(io, directory_));
    co_return Result<>();
}

// After a clean close: from the last index entry to the end, a few batches.
Task<Result<>> Log::find_end(Segment& segment, Offset& next) {
    if (segment.size == 0) {
        segment.indexes_loaded = true;
        co_return Result<>();
    }
    auto loaded = co_await segment.load_indexes(shard_.io, directory_);
    bool fits = loaded && segment.index.fits(segment.size, Offset{std::numeric_limits<int64_t>::max()});
    if (!loaded && loaded.error() != Errc::malformed) co_return loaded;
    bool cut = false;
    // The file is whole, so only what the indexes say is to be checked.
    co_return co_await recover_segment(segment, fits ? Offset{std::numeric_limits<int64_t>::max()} : Offset{0},
                                     Offset{std::numeric_limits<int64_t>::max()}, next, cut);
}

// The indexes of a segment that is known to be whole are missing. Should it be damaged all the same, then those who read
// it are told; what lies around it is good.
Task<Result<>> Log::restore_indexes(Segment& segment) {
    auto built = co_await build_indexes(segment);
    if (built) {
        segment.indexes_loaded = true;
        auto saved = co_await save_indexes(segment);
        segment.complete = saved.has_value();
        if (!saved) log::warn("indexes not written: directory={} segment={} error={}", directory_, segment.base.value, to_text(saved.error()));
        co_return Result<>();
    }
    segment.index.truncate(segment.base);
    segment.time_index.truncate(segment.base);
    if (built.error() != Errc::corrupt_batch) co_return built;
    log::error("a segment below the recovery point is damaged: directory={} segment={}", directory_, segment.base.value);
    co_return Result<>();
}

// Walks the segment from the last index entry below `from`, and enters what follows. `bound`: where the next segment begins.
// `next`: in, the least offset that may come; out, the one behind the last batch. `cut`: something that is no batch was
// found, and is gone.
Task<Result<>> Log::recover_segment(Segment& segment, Offset from, Offset bound, Offset& next, bool& cut) {
    auto& io = shard_.io;
    constexpr auto all = Offset{std::numeric_limits<int64_t>::max()};
    bool trusted = from == all;
    if (!segment.indexes_loaded) {
        auto loaded = co_await segment.load_indexes(io, directory_);
        if (!loaded && loaded.error() != Errc::malformed) co_return loaded;
    }
    auto in_files = segment.index.file_size() + segment.time_index.file_size();
    segment.index.truncate(from);
    segment.time_index.truncate(from);
    bool timeless = segment.index.count() > 0 && segment.time_index.count() == 0;
    if (timeless || !segment.index.fits(segment.size, all)) {
        segment.index.truncate(segment.base);
        segment.time_index.truncate(segment.base);
    }
    CO_CHECKED(co_await open_segment(segment));
    auto end = segment.size;
    if (end == 0) {
        if (segment.indexes_padded) CO_CHECKED(co_await save_indexes(segment));
        co_return Result<>();
    }
    auto least = next;
    for (;;) {
        next = least;
        uint64_t position = 0;
        bool from_index = segment.index.count() > 0;
        auto entry_offset = segment.index.last_offset();
        if (from_index) position = segment.index.entries().back().position;
        segment.largest = from_index ? segment.time_index.last() : LargestTimestamp{};
        segment.pace.reset();
        segment.first_timestamp = no_timestamp;
        BatchScanner scanner(segment.file, position, segment.file_size);
        bool bad = false, mismatch = false;
        uint64_t good = position;
        uint32_t count = 0;
        while (!bad && !mismatch) {
            while (auto batch = scanner.next()) {
                bool at_entry = from_index && count == 0;
                if (at_entry && batch->last_offset() != entry_offset) {
                    mismatch = true;
                    break;
                }
                bool in_order = batch->base_offset() >= next && batch->last_offset() - segment.base <= std::numeric_limits<int32_t>::max() &&
                                batch->last_offset() < bound;
                if (!in_order || (!trusted && !batch->crc_matches())) {
                    bad = true;
                    break;
                }
                mismatch = !at_entry && segment.time_index_denies(*batch);
                if (mismatch) break;
                if (at_entry) segment.pace.reset(batch->size());
                else segment.note(*batch, uint32_t(scanner.batch_position()), options_.index_interval_bytes);
                if (!trusted && batch->leader_epoch() > epochs_.latest()) {
                    epochs_changed_ |= epochs_.assign(batch->leader_epoch(), batch->base_offset());
                }
                next = batch->next_offset();
                good = scanner.position();
                ++count;
            }
            if (bad || mismatch) break;
            CO_TRY(bool more, co_await scanner.fill());
            if (!more) break;
        }
        // Nor may it point beyond the end, where its next entry would be.
        mismatch |= !segment.time_index.fits(next);
        if (mismatch || (from_index && count == 0)) {
            log::warn("index does not fit its segment, rebuilt: directory={} segment={}", directory_, segment.base.value);
            segment.index.truncate(segment.base);
            segment.time_index.truncate(segment.base);
            continue;
        }
        bad |= scanner.end() == BatchScanner::End::bad;
        segment.size = segment.written = good;
        if (bad) {
            log::warn("segment cut at a broken batch: directory={} segment={} position={} offset={} bytes_lost={}", directory_,
                      segment.base.value, good, next.value, end - good);
            cut = true;
        }
        break;
    }
    if (segment.first_timestamp == no_timestamp || segment.index.count() > 0) {
        BatchScanner scanner(segment.file, 0, segment.size);
        CO_CHECKED(co_await scanner.fill());
        if (auto first = scanner.next()) segment.first_timestamp = first->max_timestamp();
    }
    if (segment.size < segment.file_size || !trusted) {
        auto done = co_await truncate_file(segment.file, segment.size);
        if (done) done = co_await sync_file(segment.file);
        CO_CHECKED(done);
        segment.file_size = segment.size;
    }
    bool last = &segment == segments_.back().get();
    if (!last && segment.base != next) segment.time_index.append(segment.largest);
    bool same = !segment.indexes_padded && segment.index.written() == segment.index.count() && segment.time_index.written() == segment.time_index.count() &&
                in_files == segment.index.file_size() + segment.time_index.file_size();
    if (!same || !last) {
        auto written = co_await save_indexes(segment);
        segment.complete = written.has_value() && !last;
        if (!written) log::warn("indexes not written: directory={} segment={} error={}", directory_, segment.base.value, to_text(written.error()));
    }
    co_return Result<>();
}

// `whole_below`: up to where what the files say of transactions is complete. Lower afterwards if one is damaged.
Task<Result<>> Log::load_transactions(const std::vector<DirectoryEntry>& entries, Offset& whole_below) {
    auto& io = shard_.io;
    for (auto& entry : entries) {
        auto file = offset_file_of(entry.name);
        if (!file || file->suffix != transaction_index_suffix) continue;
        auto i = find_segment(file->offset);
        auto& segment = *segments_[i];
        if (segment.base != file->offset) {
            // Of a segment that is gone: it must not be taken for one of the next segment here.
            CO_CHECKED(co_await remove_if_there(io, directory_ + "/" + entry.name));
            continue;
        }
        auto bytes = co_await io::read_file(io, directory_ + "/" + entry.name);
        if (!bytes && bytes.error() == Errc::not_found) continue;
        auto loaded = bytes ? segment.transactions.load(*bytes) : Result<>(fail(bytes.error()));
        auto next = i + 1 < segments_.size() ? segments_[i + 1]->base : end_;
        auto& known = segment.transactions.entries();
        if (loaded && (known.empty() || known.back().last_offset < next)) continue;
        if (!loaded && loaded.error() != Errc::malformed) co_return loaded;
        whole_below = std::min(whole_below, segment.base);
    }
    co_return Result<>();
}

// From the newest snapshot that all batches before `whole_below` are behind, or where the log begins.
Task<Result<>> Log::load_producers(bool clean, Offset whole_below) {
    auto& io = shard_.io;
    auto now = io.wall();
    auto expiration = shard_.options.producer_id_expiration_ms;
    // Of offsets that are no longer there.
    while (!snapshots_.empty() && snapshots_.back() > end_) {
        CO_CHECKED(co_await remove_if_there(io, directory_ + "/" + file_name(snapshots_.back(), snapshot_suffix)));
        snapshots_.pop_back();
    }
    auto from = log_start_;
    bool had_any = !snapshots_.empty();
    bool loaded_any = false;
    for (auto i = snapshots_.size(); i-- > 0 && !loaded_any;) {
        auto offset = snapshots_[i];
        if (offset > whole_below) continue;
        auto path = directory_ + "/" + file_name(offset, snapshot_suffix);
        auto file = co_await io::read_file(io, path);
        auto loaded = file ? producers_.load_snapshot(*file, offset, now, expiration) : Result<>(fail(file.error()));
        if (loaded) {
            from = std::max(from, offset);
            loaded_any = true;
            continue;
        }
        if (!file && io::is_shortage(file.error())) co_return fail(file.error());
        log::warn("producer snapshot dropped: directory={} offset={} error={}", directory_, offset.value, to_text(loaded.error()));
        CO_CHECKED(co_await remove_if_there(io, path));
        snapshots_.erase(snapshots_.begin() + ptrdiff_t(i));
    }
    if (!loaded_any) producers_.reset(from);
    // No snapshot after a clean close: there were no producers.
    if (from >= end_ || (clean && !had_any && whole_below == end_)) {
        if (producers_.end_offset() < end_ && producers_.count() == 0) producers_.reset(end_);
        co_return Result<>();
    }
    for (auto i = find_segment(from); i < segments_.size(); ++i) {
        auto& segment = *segments_[i];
        segment.transactions.truncate(from);
        if (segment.written == 0) continue;
        auto ready = co_await ready_indexes(segment);
        // What can be read of a damaged one is told all the same.
        if (!ready && ready.error() != Errc::corrupt_batch) co_return ready;
        CO_CHECKED(co_await open_segment(segment));
        auto entry = segment.index.lookup(from);
        CO_TRY(bool fits, co_await index_fits(segment, entry));
        if (!fits) entry = {};
        BatchScanner scanner(segment.file, entry.position, segment.written);
        for (;;) {
            while (auto batch = scanner.next()) {
                if (batch->base_offset() < from || !batch->has_producer()) continue;
                auto ended = producers_.note(*batch);
                if (ended && ended->aborted) segment.transactions.append(*ended);
            }
            CO_TRY(bool more, co_await scanner.fill());
            if (!more) break;
        }
        CO_CHECKED(co_await segment.write_transactions(io, directory_));
    }
    producers_.expire(now, expiration);
    co_return Result<>();
}

Task<Result<>> Log::remove_offset_files(Offset base) {
    for (auto suffix : {log_suffix, index_suffix, time_index_suffix, transaction_index_suffix, snapshot_suffix}) {
        CO_CHECKED(co_await remove_if_there(shard_.io, directory_ + "/" + file_name(base, suffix)));
    }
    co_return Result<>();
}

Task<Result<>> Log::remove_segments_from(size_t first) {
    while (segments_.size() > first) {
        auto& segment = *segments_.back();
        if (segment.file.is_open()) co_await close_file(std::move(segment.file));
        CO_CHECKED(co_await remove_offset_files(segment.base));
        std::erase(snapshots_, segment.base);
        segments_.pop_back();
    }
    co_return co_await io::sync_directory(shard_.io, directory_);
}

}  // namespace rafka::engine
