#pragma once

// A log directory in Apache Kafka's format. Opens and creates partition logs, finds them, keeps the directory's
// checkpoints, and closes so that Kafka or rafka can open it again. Belongs to the first of its loops ("home"): every
// call is made there unless it says otherwise.

#include <rafka/loop.hpp>
#include <rafka/options.hpp>
#include <rafka/partition.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rafka {

// A partition directory found at open.
struct FoundLog {
    std::string directory;         // Name inside the log directory.
    std::string topic;
    int32_t partition = 0;
    std::optional<Uuid> topic_id;  // From partition.metadata; nullopt: none there.
};

class Engine {
public:
    // Creates the directory if need be, takes its .lock (Errc::locked: another process has it), reads checkpoints and
    // the clean-shutdown marker, and removes the marker. Opens no partition yet.
    static Task<Result<std::unique_ptr<Engine>>> open(std::span<Loop* const> loops, EngineOptions options);
    virtual ~Engine() = default;

    virtual const EngineOptions& options() const = 0;
    // True if the directory was closed cleanly; what the marker said of the broker epoch, -1 if nothing.
    virtual bool was_clean() const = 0;
    virtual int64_t previous_broker_epoch() const = 0;
    virtual const std::vector<FoundLog>& found() const = 0;

    // The loop a partition belongs to: by hash of its key, nothing is stored. From any loop.
    virtual Loop& loop_of(const PartitionKey& key) const = 0;

    // Opens the log of TOPIC-PARTITION, with recovery when needed, or creates it (directory, partition.metadata first).
    // A directory of that name with another topic id is set aside first (TOPIC-PARTITION.UUID-stray).
    virtual Task<Result<Partition*>> open_partition(PartitionKey key, std::string topic, LogOptions options) = 0;
    // The open partition of that key, or null. On loop_of(key).
    virtual Partition* find(const PartitionKey& key) const = 0;
    // Ends the partition: waiting fetches are told, the directory becomes TOPIC-PARTITION.UUID-delete and goes after
    // file.delete.delay.ms.
    virtual Task<Result<>> remove_partition(PartitionKey key) = 0;
    // Renames a found directory that belongs to no topic to ...-stray.
    virtual Task<Result<>> set_aside(const FoundLog& log) = 0;

    // Recovery points, log starts, high watermarks, as Kafka's checkpoint files. Also done every checkpoint_interval_ms.
    virtual Task<Result<>> checkpoint() = 0;
    // Closes every log (final time index entry, trims, producer snapshot), checkpoints, writes the marker.
    virtual Task<Result<>> close(int64_t broker_epoch) = 0;

    // Tries, with a few milliseconds of writes, whether durable direct writes of this directory complete without a worker
    // thread of the kernel.
    virtual Task<bool> probe_inline_writes() = 0;
};

}  // namespace rafka
