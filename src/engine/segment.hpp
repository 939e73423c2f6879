#pragma once

// A segment: a .log file of batches, its indexes, and what is known of it. Owned by its log; the newest segment of a
// log takes appends, the others never change.
//
// On disk the newest .log is longer than its batches: it is allocated ahead and ends in zeros, which nobody is shown. It
// is cut to its length when the next segment begins, at a clean close, and after a crash.

#include "engine/offset_index.hpp"
#include "engine/time_index.hpp"
#include "engine/transaction_index.hpp"
#include "io/file.hpp"

#include <rafka/io.hpp>
#include <rafka/options.hpp>
#include <rafka/record_batch.hpp>
#include <rafka/task.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::engine {

class Segment {
public:
    // `chance`: any number, from which the segment's share of segment.jitter.ms is drawn.
    Segment(Offset base, uint32_t index_bytes_max, uint64_t chance)
        : base(base), index(base, index_bytes_max), time_index(base, index_bytes_max), transactions(base), chance_(chance) {}
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;

    const Offset base;
    uint64_t size = 0;          // Of the batches, also those on their way to the disk.
    uint64_t written = 0;       // Of the batches on stable storage.
    uint64_t file_size = 0;     // Of the .log.
    io::File file;              // Opened when first needed.
    bool opening = false;
    bool saving = false;        // Its indexes are being written.
    bool loading = false;       // Its indexes are being read or built.
    bool direct = false;        // Opened for direct I/O.
    bool exists = false;        // The .log is there, and its name is durable.
    bool complete = false;      // Cut to its length and durable with its indexes: the recovery point may lie beyond it.
    bool allocating = false;
    uint32_t users = 0;         // Reads that rely on its file and indexes.
    Instant last_used{};

    bool indexes_loaded = true;
    bool indexes_padded = false;  // Their files hold more than entries, or are not whole. Kafka allocates ahead, too.
    OffsetIndex index;
    TimeIndex time_index;
    TransactionIndex transactions;  // Always in memory, unlike the other two.
    IndexPace pace;
    LargestTimestamp largest;
    Timestamp first_timestamp = no_timestamp;  // The maximum of the first batch.
    Timestamp created;
    // State of the producers at `base`, to be written with the segment's first file.
    std::vector<std::byte> snapshot;

    // A batch of the log that stands at `position` from now on.
    void note(BatchView batch, uint32_t position, uint32_t index_interval_bytes);
    // The time index of a file that is believed says what cannot be if this batch is there: it was not made of this segment.
    bool time_index_denies(BatchView batch) const {
        return batch.max_timestamp() > time_index.last().timestamp && batch.last_offset() < time_index.last().offset;
    }
    // Kafka's LogSegment.shouldRoll, for a batch that would be next.
    bool must_roll(size_t batch_size, Timestamp max_timestamp, Offset last_offset, Timestamp now, const LogOptions& options) const;

    std::string path(const std::string& directory, std::string_view suffix) const;

    // Keeps its file open and its indexes in memory.
    class Use {
    public:
        Use(Segment& segment, Instant now) : segment_(segment) {
            ++segment_.users;
            segment_.last_used = now;
        }
        Use(const Use&) = delete;
        ~Use() { --segment_.users; }

    private:
        Segment& segment_;
    };

    // Appends to the index files what they lack, and cuts what they have too much. Durable when done.
    Task<Result<>> write_indexes(Io& io, std::string directory);
    Task<Result<>> write_transactions(Io& io, std::string directory);
    // Fills the offset and time index from their files. malformed: one is missing or does not hold together; both are then empty.
    Task<Result<>> load_indexes(Io& io, std::string directory);

private:
    uint64_t chance_;
};

}  // namespace rafka::engine
