#include "engine/segment.hpp"

#include "base/assert.hpp"
#include "engine/files.hpp"
#include "engine/paths.hpp"

#include <algorithm>
#include <limits>

namespace rafka::engine {

void Segment::note(BatchView batch, uint32_t position, uint32_t index_interval_bytes) {
    auto last = batch.last_offset();
    if (first_timestamp == no_timestamp) first_timestamp = batch.max_timestamp();
    largest.see(batch.max_timestamp(), last);
    if (!pace.due(uint32_t(batch.size()), index_interval_bytes) || index.full()) return;
    index.append(last, position);
    if (!time_index.full()) time_index.append(largest);
}

bool Segment::must_roll(size_t batch_size, Timestamp max_timestamp, Offset last_offset, Timestamp now,
                        const LogOptions& options) const {
    if (last_offset - base > std::numeric_limits<int32_t>::max()) return true;
    if (size == 0) return false;
    if (size + batch_size > options.segment_bytes) return true;
    if (index.full() || time_index.full()) return true;
    bool by_records = max_timestamp != no_timestamp && first_timestamp != no_timestamp;
    // Clients choose their times, and may be further apart than 64 bits say.
    auto waited = by_records ? __int128(max_timestamp.ms) - first_timestamp.ms : __int128(now.ms) - created.ms;
    auto jitter_max = std::min(options.segment_jitter_ms, options.segment_ms);
    auto jitter = jitter_max > 0 ? int64_t(chance_ % uint64_t(jitter_max)) : 0;
    return waited > options.segment_ms - jitter;
}

std::string Segment::path(const std::string& directory, std::string_view suffix) const {
    return directory + "/" + file_name(base, suffix);
}

namespace {

template <class Index>
Task<Result<>> write_index(Io& io, std::string path, Index& index) {
    auto flags = flag::write | flag::create | (index.written() == 0 ? flag::truncate : 0);
    CO_TRY(auto file, co_await io::File::open(io, std::move(path), flags));
    std::vector<std::byte> rest;
    auto from = index.written();
    auto count = index.count();
    index.encode(from, rest);
    auto done = co_await file.write_all(rest, from * Index::entry_size);
    if (done) done = co_await truncate_file(file, count * Index::entry_size);
    if (done) done = co_await sync_file(file);
    co_await close_file(std::move(file));
    // More entries may have come meanwhile.
    if (done) index.set_written(count);
    co_return done;
}

}  // namespace

Task<Result<>> Segment::write_indexes(Io& io, std::string directory) {
    CO_CHECKED(co_await write_index(io, path(directory, index_suffix), index));
    CO_CHECKED(co_await write_index(io, path(directory, time_index_suffix), time_index));
    indexes_padded = false;
    co_return co_await write_transactions(io, std::move(directory));
}

// Nobody would miss the file, so its name must not get lost.
Task<Result<>> Segment::write_transactions(Io& io, std::string directory) {
    if (transactions.is_saved()) co_return Result<>();
    bool is_new = transactions.written() == 0;
    CO_CHECKED(co_await write_index(io, path(directory, transaction_index_suffix), transactions));
    if (is_new) CO_CHECKED(co_await io::sync_directory(io, directory));
    co_return Result<>();
}

namespace {

// True: the file is longer than its entries.
template <class Index>
Task<Result<bool>> read_index(Io& io, std::string path, Index& index, size_t entries_max) {
    auto status = co_await io::status_of(io, path);
    if (!status) co_return fail(status.error() == Errc::not_found ? Errc::malformed : status.error());
    CO_TRY(auto bytes, co_await io::read_file(io, std::move(path), entries_max * Index::entry_size));
    if (auto loaded = index.load(bytes); !loaded) co_return fail(loaded.error());
    co_return status->size > index.file_size();
}

}  // namespace

Task<Result<>> Segment::load_indexes(Io& io, std::string directory) {
    ASSERT(index.count() == 0 && time_index.count() == 0);
    indexes_loaded = indexes_padded = true;
    // An entry for each batch, and the time index's last. What lies behind that can only be room.
    auto entries_max = size / batch_header_size + 1;
    CO_TRY(bool padded, co_await read_index(io, path(directory, index_suffix), index, entries_max));
    auto times = co_await read_index(io, path(directory, time_index_suffix), time_index, entries_max);
    if (!times) {
        index.truncate(base);
        co_return fail(times.error());
    }
    indexes_padded = padded || *times;
    co_return Result<>();
}

}  // namespace rafka::engine
