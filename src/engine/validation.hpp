#pragma once

// What a produce payload must be before it takes a place in the log, and what it becomes there: Kafka's LogValidator and
// UnifiedLog.analyzeAndValidateRecords, without offsets, which come later. Pure: bytes and the time in, a decision out.
//
// Stricter than Kafka where its leniency breaks readers later: offset deltas must count 0, 1, 2, ..., unused attribute
// bits must be 0, lengths below -1 are refused, nothing may follow the batch.

#include "engine/record_walk.hpp"

#include <rafka/options.hpp>
#include <rafka/partition.hpp>
#include <rafka/record_batch.hpp>

#include <cstdint>
#include <vector>

namespace rafka::engine {

// How a batch that was accepted is stored.
struct Accepted {
    std::vector<std::byte> replacement;          // Recompressed; empty: the batch stays as it came.
    Timestamp max_timestamp = no_timestamp;      // As it will be stored.
    Timestamp log_append_time = no_timestamp;    // -1 under CreateTime.
    bool patch_time = false;                     // The stored header must be given the time (and a new CRC).
    int32_t offset_count = 0;                    // How many offsets it takes.

    // What is to be copied to the log.
    Bytes bytes(Bytes original) const { return replacement.empty() ? original : Bytes(replacement); }
    // Completes the copy: base offset, leader epoch (the given one stays if `epoch` is nullopt), time and CRC.
    void stamp(MutableBytes stored, Offset base_offset, std::optional<LeaderEpoch> epoch) const;
};

// Of one refused batch; the others are refused all the same.
inline constexpr size_t rejected_records_max = 1000;

// `rejected`, if given, receives the records that are to blame. Memory: a window of the plain form, whatever its size,
// and with recompression the new batch, at most max_message_bytes.
//   invalid_record     not exactly one v2 batch, claims that do not fit, a key missing where keys are required
//   corrupt_batch      length or CRC
//   too_large          over max_message_bytes or segment_bytes (before or after recompression), or plain_bytes_max
//   invalid_timestamp  of a record, or LogAppendTime set by a client
//   unsupported_codec  no such codec
Result<Accepted> validate(Bytes payload, Origin origin, const LogOptions& options, Timestamp now,
                          std::vector<RejectedRecord>* rejected = nullptr);

}  // namespace rafka::engine
