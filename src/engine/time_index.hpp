#pragma once

// A segment's time index: (t, o) says that t is the greatest timestamp so far in the segment, and o the last offset of the
// batch that first had it (Kafka's TimeIndex). In memory as two sorted columns; the file is a copy that may lag behind.
//
// File, 12 bytes an entry, big-endian: int64 timestamp, int32 offset - base offset.

#include <rafka/bytes.hpp>
#include <rafka/result.hpp>
#include <rafka/types.hpp>

#include <cstdint>
#include <vector>

namespace rafka::engine {

// The greatest timestamp of a segment and the last offset of the batch that first had it.
struct LargestTimestamp {
    Timestamp timestamp = no_timestamp;
    Offset offset = no_offset;

    void see(Timestamp batch_max, Offset batch_last) {
        if (batch_max > timestamp) *this = {batch_max, batch_last};
    }
    friend bool operator==(LargestTimestamp, LargestTimestamp) = default;
};

class TimeIndex {
public:
    static constexpr size_t entry_size = 12;

    TimeIndex(Offset base, uint32_t bytes_max) : base_(base), entries_max_(bytes_max / entry_size) {}

    // The segment must roll before its next batch; one place stays for the entry at the end. More fits in memory all the
    // same: a rebuilt segment may be from a time with other limits.
    bool full() const { return timestamps_.size() + 1 >= entries_max_; }
    size_t count() const { return timestamps_.size(); }
    Offset base() const { return base_; }
    LargestTimestamp entry(size_t i) const { return {timestamps_[i], base_ + offsets_[i]}; }
    // -1 and the base offset if there is none.
    LargestTimestamp last() const { return count() == 0 ? LargestTimestamp{no_timestamp, base_} : entry(count() - 1); }

    // Entered if its timestamp is greater than the last one's. Called at every offset index entry, and with the largest
    // at roll and close. Requires that no offset decreases.
    void append(LargestTimestamp largest);
    // The greatest entry whose timestamp is at or below `time`: records at or after `time` lie behind its offset, if
    // anywhere. -1 and the base offset if there is none.
    LargestTimestamp lookup(Timestamp time) const;
    // Drops entries for offsets at or beyond `end`.
    void truncate(Offset end);

    void encode(size_t from, std::vector<std::byte>& out) const;
    size_t written() const { return written_; }
    void set_written(size_t count);
    uint64_t file_size() const { return count() * entry_size; }

    // As OffsetIndex::load: timestamps must strictly increase, offsets not decrease.
    Result<> load(Bytes file);
    bool fits(Offset end) const;

private:
    Offset base_;
    size_t entries_max_;
    size_t written_ = 0;
    std::vector<Timestamp> timestamps_;
    std::vector<uint32_t> offsets_;
};

}  // namespace rafka::engine
