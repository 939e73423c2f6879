#pragma once

// What the partitions of one loop share.

#include "engine/chunks.hpp"
#include "engine/cold_memory.hpp"
#include "engine/space.hpp"

#include <rafka/loop.hpp>
#include <rafka/options.hpp>

#include <atomic>
#include <memory>
#include <unordered_map>

namespace rafka::engine {

class Log;

struct Shard {
    Shard(Loop& loop, const EngineOptions& options, Space& space)
        : loop(loop), io(loop.io()), options(options), space(space), chunks(loop, options.chunk_memory_max), cold(loop, options.cold_memory_max), tasks(loop), ended(loop) {}

    Loop& loop;
    Io& io;
    const EngineOptions& options;
    Space& space;
    bool direct = false;          // The file system takes direct I/O in blocks of ours.
    bool durable_writes = true;   // It takes RWF_DSYNC.

    ChunkPool chunks;
    ColdMemory cold;
    Scope tasks;          // Of its logs: writers, allocations, deletions that wait.
    bool closing = false;
    Event ended;          // The engine closes: sleepers wake.
    std::unordered_map<PartitionKey, std::unique_ptr<Log>> logs;
    // Removed, but somebody may still hold a pointer to them; they only refuse.
    std::vector<std::unique_ptr<Log>> removed;
};

}  // namespace rafka::engine
