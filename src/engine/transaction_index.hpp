#pragma once

// A segment's transaction index: the transactions whose abort marker lies in the segment, in the order of the markers
// (Kafka's TransactionIndex). Who reads only what was committed is told of those that reach into what it gets. In memory
// whole, since aborted transactions are few; the file lags behind, and there is none for a segment without any.
//
// File, 34 bytes an entry, big-endian: int16 version = 0, int64 producer_id, int64 first_offset, int64 last_offset (of
// the marker), int64 last_stable_offset (just after the marker).

#include "engine/producers.hpp"

#include <rafka/bytes.hpp>
#include <rafka/partition.hpp>
#include <rafka/result.hpp>
#include <rafka/types.hpp>

#include <cstdint>
#include <vector>

namespace rafka::engine {

class TransactionIndex {
public:
    static constexpr size_t entry_size = 34;

    explicit TransactionIndex(Offset base) : base_(base) {}

    size_t count() const { return entries_.size(); }
    const std::vector<EndedTransaction>& entries() const { return entries_; }

    // Requires an aborted transaction whose marker lies behind those that are there.
    void append(const EndedTransaction& ended);
    // Adds what reaches into [from, to). True: transactions that ended later cannot.
    bool collect(Offset from, Offset to, std::vector<AbortedTransaction>& out) const;
    // Drops transactions whose marker is at or beyond `end`.
    void truncate(Offset end);

    // Bytes of the entries from `from` on, appended to `out`.
    void encode(size_t from, std::vector<std::byte>& out) const;
    size_t written() const { return written_; }
    void set_written(size_t count);
    // The file, or that there is none, says what is here.
    bool is_saved() const { return written_ == count() && !file_is_longer_; }

    // Replaces the entries by a file's, all counted as written. malformed: no multiple of the entry size, another version,
    // markers before the segment or out of order; the index is then empty, and not saved.
    Result<> load(Bytes file);

private:
    Offset base_;
    size_t written_ = 0;
    bool file_is_longer_ = false;
    std::vector<EndedTransaction> entries_;
};

}  // namespace rafka::engine
