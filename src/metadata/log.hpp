#pragma once

// The metadata log of this node: __cluster_metadata-0 with its snapshots and quorum-state. Knows bytes, batches and
// files; what the records mean is the applier's business. Owned by the controller, on the home loop; the partition
// itself may live on another.

#include "metadata/delta.hpp"
#include "metadata/quorum.hpp"
#include "metadata/quorum_state.hpp"
#include "metadata/snapshot.hpp"

#include <rafka/engine.hpp>

#include <memory>
#include <string>

namespace rafka::metadata {

class Log {
public:
    explicit Log(Engine& engine);

    // Opens the partition and applies the newest snapshot and what follows it. On failure problem() says why.
    Task<Result<>> load(Applier& applier);
    const std::string& problem() const { return problem_; }

    // Where the next record goes; zero in a log that never had a leader.
    Offset end() const { return end_; }
    // The highest epoch that the log, its snapshots or quorum-state have seen.
    LeaderEpoch last_epoch() const { return last_epoch_; }
    const Quorum& quorum() const { return quorum_; }

    // Begins a new epoch: gives the leader's control batch, which comes before all others.
    std::vector<std::byte> begin_epoch(int32_t node_id);
    LeaderEpoch epoch() const { return epoch_; }
    // Notes the epoch beside the log, durably. The leader's batch may go out at the same time: whichever a crash leaves, the
    // next start begins a later epoch.
    Task<Result<>> write_quorum_state(std::string cluster_id, int32_t node_id);

    // A batch of ours is placed, then written; several may be on their way, in the order of their places. Each is there
    // whole or not at all, and on stable storage when write() returns. `batch` outlives the task.
    void place(std::vector<std::byte>& batch);
    Task<Result<>> write(const std::vector<std::byte>& batch);
    // After a failed write that left the partition as it was, and nothing on its way: gives the place to another.
    void take_back(const std::vector<std::byte>& batch);
    uint64_t bytes_since_snapshot() const { return bytes_since_snapshot_; }

    // Writes a snapshot of the image, and then removes older ones. The log stays whole.
    Task<Result<>> write_snapshot(ImagePtr image);

private:
    // What a replay knows at its end; it runs on the partition's loop.
    struct Replay {
        Offset end;
        LeaderEpoch epoch = 0;
        uint64_t bytes = 0;
        Quorum quorum;
        std::string problem;
    };
    static Task<Result<>> replay(Partition& partition, Offset from, Applier& applier, Replay& state);
    static Result<> replay_batches(Bytes bytes, Offset& from, Applier& applier, Replay& state);

    Task<Result<>> load_snapshot(Applier& applier, Offset& end);
    Task<Result<>> read_quorum_state();
    Task<Result<>> ensure_topic_id();
    Result<> refuse(std::string problem);
    std::string path(std::string_view name) const { return directory_ + "/" + std::string(name); }

    Engine& engine_;
    Loop& home_;
    Io& io_;
    std::string directory_;
    Partition* partition_ = nullptr;
    Quorum quorum_;
    Offset end_;
    LeaderEpoch last_epoch_ = 0;
    LeaderEpoch epoch_ = 0;
    uint64_t bytes_since_snapshot_ = 0;
    std::string problem_;
};

}  // namespace rafka::metadata
