#pragma once

// A segment's offset index: sparse pairs of an offset and where its batch begins in the .log (Kafka's OffsetIndex). In
// memory as a sorted vector; the file is a copy of it that may lag behind and is rebuilt from the log when in doubt.
//
// File, 8 bytes an entry, big-endian: int32 last offset of a batch - base offset, int32 position of the batch's start.

#include <rafka/bytes.hpp>
#include <rafka/result.hpp>
#include <rafka/types.hpp>

#include <cstdint>
#include <vector>

namespace rafka::engine {

// Which batches of a segment get index entries. Ask for every batch, in order.
class IndexPace {
public:
    // True: enter this batch. The size counts after the question, so the first batch of a segment never is.
    bool due(uint32_t batch_size, uint32_t interval_bytes) {
        bool enter = since_ > interval_bytes;
        since_ = (enter ? 0 : since_) + batch_size;
        return enter;
    }
    void reset(uint64_t bytes_since_last_entry = 0) { since_ = bytes_since_last_entry; }
    uint64_t bytes_since_last_entry() const { return since_; }

private:
    uint64_t since_ = 0;
};

class OffsetIndex {
public:
    static constexpr size_t entry_size = 8;
    struct Entry {
        uint32_t relative_offset = 0;
        uint32_t position = 0;

        friend bool operator==(Entry, Entry) = default;
    };
    struct Found {
        Offset offset;
        uint32_t position = 0;

        friend bool operator==(Found, Found) = default;
    };

    // `bytes_max`: segment.index.bytes.
    OffsetIndex(Offset base, uint32_t bytes_max) : base_(base), entries_max_(bytes_max / entry_size) {}

    // The segment must roll before its next batch. More fits in memory all the same: a rebuilt segment may be from a time
    // with other limits.
    bool full() const { return entries_.size() >= entries_max_; }
    size_t count() const { return entries_.size(); }
    const std::vector<Entry>& entries() const { return entries_; }
    Offset base() const { return base_; }
    Offset last_offset() const { return entries_.empty() ? base_ : base_ + entries_.back().relative_offset; }

    // Requires offset > last_offset() (or no entry yet), within 2^31-1 of the base, and a growing position.
    void append(Offset last_offset, uint32_t position);
    // The greatest entry at or below `target`; base and 0 if there is none.
    Found lookup(Offset target) const;
    // The first entry whose position is at or beyond this one, or null: an upper bound of what lies before it.
    const Entry* at_or_beyond(uint32_t position) const;
    // Drops entries for offsets at or beyond `end`.
    void truncate(Offset end);

    // Bytes of the entries from `from` on, appended to `out`.
    void encode(size_t from, std::vector<std::byte>& out) const;
    // How many entries the file has; the rest is to be appended at written() * entry_size.
    size_t written() const { return written_; }
    void set_written(size_t count);
    uint64_t file_size() const { return entries_.size() * entry_size; }

    // Replaces the entries by a file's, all counted as written. A tail of zeros is not entries. malformed: no multiple of
    // the entry size, not strictly increasing; the index is then empty.
    Result<> load(Bytes file);
    // Whether every entry points into a .log of that size and below that end offset.
    bool fits(uint64_t log_size, Offset end) const;

private:
    Offset base_;
    size_t entries_max_;
    size_t written_ = 0;
    std::vector<Entry> entries_;
};

}  // namespace rafka::engine
