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
    auto waited = by_records ? max_timestamp.ms - first_timestamp.ms : now.ms - created.ms;
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

Task<Result<>> Segment::load_indexes(Io& io, std::string directory) {
    ASSERT(index.count() == 0 && time_index.count() == 0);
    auto offsets = co_await io::read_file(io, path(directory, index_suffix));
    auto times = co_await io::read_file(io, path(directory, time_index_suffix));
    indexes_loaded = true;
    auto missing = [](auto& file) { return !file && file.error() == Errc::not_found; };
    if (missing(offsets) || missing(times)) co_return fail(Errc::malformed);
    if (!offsets) co_return fail(offsets.error());
    if (!times) co_return fail(times.error());
    if (auto loaded = index.load(*offsets); !loaded) co_return loaded;
    if (auto loaded = time_index.load(*times); !loaded) {
        index.truncate(base);
        co_return loaded;
    }
    co_return Result<>();
}

}  // namespace rafka::engine
