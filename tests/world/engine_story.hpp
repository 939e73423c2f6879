#pragma once

// A story of the engine: lives of one log directory, each ended by a crash or a close, with producers and readers in
// between, and a judgement at every start. All of it from a seed.

#include "world/log_model.hpp"
#include "sim/world.hpp"

#include <rafka/engine.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rafka::world {

using namespace sim;

// An idempotent producer or a plain one, of one partition. What it does not know to be stored it sends again, in order.
struct ProducerModel {
    size_t partition = 0;
    int64_t id = -1;  // -1: plain; it never sends a batch twice.
    int16_t epoch = 0;
    int32_t next_sequence = 0;
    std::vector<BatchId> outstanding;
};

// Everything that is known from outside. A value: the one at the moment of a crash is a copy.
struct EngineModel {
    std::vector<LogModel> logs;  // By partition.
    std::vector<ProducerModel> producers;
    LeaderEpoch epoch = 0;
};

struct EngineSetup {
    uint32_t loop_count = 1;
    EngineOptions engine;
    LogOptions log;
    MachineOptions machine;
    size_t partition_count = 1;
    EngineSetup();
};

// What happened, over many stories: nothing of it may be zero, or the stories do not look where they should.
struct Coverage {
    uint64_t lives = 0, crashes = 0, clean_closes = 0, crashes_while_opening = 0, crashes_while_closing = 0;
    uint64_t acknowledged = 0, duplicates = 0, refused = 0, offline = 0, failed_opens = 0, judged_batches = 0;
    uint64_t unacknowledged_survived = 0, indexes_damaged = 0, injected_faults = 0, disk_full = 0;
    void print() const;
    // Many stories must come through all of these.
    bool looked_everywhere() const;
};

// One life of the directory: a machine, its loops, an engine with its partitions.
class EngineLife {
public:
    EngineLife(uint64_t seed, const EngineSetup& setup, Disk disk, Archive& archive, EngineModel& model, Coverage& coverage);

    Machine machine;
    World world;

    // Opens the engine and its partitions, judges what is there. False: it could not, which is allowed only after
    // injected faults.
    Task<bool> open();
    // `ask_by_time`: find_by_timestamp against a linear scan.
    Task<bool> judge(bool ask_by_time);
    Task<bool> close();

    // One append, judged when it comes back. `producer` may be null.
    Task<Result<Appended>> append(size_t partition, BatchId batch);
    // What is outstanding and `fresh` new batches, at most `window` at a time.
    Task<> produce(size_t producer, uint32_t fresh, uint32_t window, Random random);
    // Reads here and there, below the watermark.
    Task<> consume(size_t partition, uint32_t count, Random random);
    Task<> checkpoint_sometimes(uint32_t count, Random random);

    Engine& engine() { return *engine_; }
    Partition& partition(size_t index) { return *partitions_[index]; }
    Loop& loop_of(size_t partition) { return engine_->loop_of(key_of(partition)); }
    bool is_open() const { return engine_ != nullptr && partitions_.size() == setup_.partition_count; }
    static PartitionKey key_of(size_t partition);

    bool stopping = false;  // Producers and readers leave.
    bool squeezed = false;  // Little space is left: like an injected fault, it excuses refusals.
    bool has_trouble() const { return squeezed || machine.injected_count() > 0; }

private:
    Task<Result<std::vector<FoundBatch>>> read_all(size_t partition);
    Task<bool> compare_times(size_t partition, std::vector<FoundBatch> found);
    Task<> send(size_t partition, BatchId batch, Result<Appended>& result);
    const SentBatch& make_batch(const ProducerModel& producer, Random& random);

    const EngineSetup& setup_;
    Archive& archive_;
    EngineModel& model_;
    Coverage& coverage_;
    std::unique_ptr<Engine> engine_;
    std::vector<Partition*> partitions_;
    std::vector<bool> was_offline_;
};

// Removes, empties or zeroes some index files: they are caches.
void damage_indexes(Disk& disk, Random& random, Coverage& coverage);

// Plays one seed and returns its trace. Ends the process at a violation.
uint64_t play_engine_story(uint64_t seed, Coverage& coverage);

}  // namespace rafka::world
