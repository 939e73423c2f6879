#pragma once

// Every engine option, its default and its reason. Names are Kafka's with `.` as `_`.

#include <rafka/codec.hpp>
#include <rafka/types.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace rafka {

// Of one topic; may change at run time (Partition::configure).
struct LogOptions {
    uint32_t segment_bytes = 1u << 30;
    int64_t segment_ms = 7LL * 24 * 3600 * 1000;
    int64_t segment_jitter_ms = 0;
    uint32_t segment_index_bytes = 10u << 20;
    uint32_t index_interval_bytes = 4096;
    uint32_t max_message_bytes = 1048588;       // Of one batch, header included.
    std::optional<Codec> compression;           // nullopt: "producer", batches stay as they come.
    std::optional<int> compression_level;
    bool log_append_time = false;               // message.timestamp.type
    int64_t timestamp_before_max_ms = std::numeric_limits<int64_t>::max();
    int64_t timestamp_after_max_ms = 3600 * 1000;
    bool keys_required = false;                 // cleanup.policy contains compact.
    int64_t file_delete_delay_ms = 60 * 1000;

    LogOptions() {}
};

// Of a log directory.
struct EngineOptions {
    std::string directory;
    int64_t producer_id_expiration_ms = 24LL * 3600 * 1000;
    int64_t checkpoint_interval_ms = 60 * 1000;  // log.flush.offset.checkpoint.interval.ms
    // Memory for the chunks that are being written and serve tail reads, per loop. At the bound appends wait for the disk.
    uint64_t chunk_memory_max = 64ull << 20;
    // Memory for reads from files, per loop, until what was read is sent: 32 readers of a MiB each. At the bound a read
    // waits a little, and then brings one batch; who has records already goes without.
    uint64_t cold_memory_max = 32ull << 20;
    // Preallocation of a segment: the first step, and the largest. Steps double while a partition fills them quickly
    // and halve when free space shrinks; all partitions together never claim more than half of what is free.
    uint32_t allocation_step_min = 16u << 10;
    uint32_t allocation_step_max = 64u << 20;
    // Direct writes where the file system takes them. Off: buffered writes and a sync, with the same promise.
    bool direct = true;

    EngineOptions() {}
};

}  // namespace rafka
