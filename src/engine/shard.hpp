#pragma once

// What the partitions of one loop share.

#include "engine/chunks.hpp"
#include "engine/cold_memory.hpp"
#include "engine/space.hpp"
#include "engine/tail.hpp"

#include <rafka/loop.hpp>
#include <rafka/options.hpp>

#include <atomic>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rafka::engine {

class Log;

// What writers work with. A log has a writer as long as something is unwritten, and the next writer takes it over.
class Writes {
public:
    std::unique_ptr<Tail::Write> take() {
        if (kept_.empty()) return std::make_unique<Tail::Write>();
        auto write = std::move(kept_.back());
        kept_.pop_back();
        return write;
    }
    void give_back(std::unique_ptr<Tail::Write> write) {
        if (kept_.size() < kept_max) kept_.push_back(std::move(write));
    }

private:
    static constexpr size_t kept_max = 64;
    std::vector<std::unique_ptr<Tail::Write>> kept_;
};

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
    Writes writes;
    Scope tasks;          // Of its logs: writers, allocations, deletions that wait.
    bool closing = false;
    Event ended;          // The engine closes: sleepers wake.
    std::unordered_map<PartitionKey, std::unique_ptr<Log>> logs;
    // Removed, but somebody may still hold a pointer to them; they only refuse.
    std::vector<std::unique_ptr<Log>> removed;
};

}  // namespace rafka::engine
