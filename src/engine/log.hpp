#pragma once

// The log of one partition (Kafka's UnifiedLog): its segments, the tail in memory, the task that writes it out, what it
// knows of producers and leader epochs. Owned by its shard, lives on the shard's loop.
//
// An append takes offsets and its place in the tail without waiting. One writer per log carries the tail to the disk:
// what came while a write was in flight goes with the next one, in direct writes of whole blocks that are durable when
// they complete. The last block is written again when the batches after it come (a journal across partitions will take
// this place: it becomes the writer's target, and segments are filled behind it).

#include "engine/epochs.hpp"
#include "engine/producers.hpp"
#include "engine/segment.hpp"
#include "engine/shard.hpp"
#include "engine/tail.hpp"
#include "engine/validation.hpp"

#include <rafka/partition.hpp>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rafka::engine {

// What a log's directory is to be opened with.
struct Loading {
    bool clean = false;
    Offset recovery_point;  // Everything below is known to be whole.
    Offset log_start;
    Loading() {}
};

class BatchScanner;

class Log final : public Partition {
public:
    // `directory`: the partition's, with the log directory before it.
    Log(Shard& shard, PartitionKey key, std::string topic, std::string directory, LogOptions options);
    ~Log() override;

    const PartitionKey& key() const override { return key_; }
    const std::string& topic() const override { return topic_; }

    Task<Result<Appended>> append(Bytes batch, Origin origin, std::vector<RejectedRecord>* rejected) override;
    Task<Result<Records>> read(Offset from, uint32_t bytes_max, bool at_least_one, Isolation isolation) override;
    Task<Result<uint64_t>> readable(Offset from, Isolation isolation) override;

    Offset log_start_offset() const override { return log_start_; }
    Offset log_end_offset() const override { return end_; }
    Offset high_watermark() const override { return high_watermark_; }
    Offset last_stable_offset() const override { return last_stable_; }

    Task<Result<OffsetAndTimestamp>> find_by_timestamp(Timestamp time, Isolation isolation) override;
    Task<Result<OffsetAndTimestamp>> find_max_timestamp(Isolation isolation) override;

    LeaderEpoch leader_epoch() const override { return epochs_.latest(); }
    Task<Result<>> become_leader(LeaderEpoch epoch) override;
    EpochEnd epoch_end(LeaderEpoch asked) const override { return epochs_.end_of(asked, end_); }
    LeaderEpoch epoch_of(Offset offset) const override { return epochs_.epoch_of(offset); }

    void configure(const LogOptions& options) override { options_ = options; }
    bool offline() const override { return state_ == State::offline; }
    bool reloading() const override { return state_ == State::reloading; }
    uint64_t size_bytes() const override;

    // For the engine.
    const std::string& directory() const { return directory_; }
    // The directory and its first files; durable, up to the entry in the log directory.
    Task<Result<>> create();
    Task<Result<>> load(Loading how);
    // Makes durable what the recovery point relies on, and returns the offset below which all is whole.
    Task<Result<Offset>> checkpoint();
    // Complete, for a clean start. Takes no more.
    Task<Result<>> close();
    // Ends all work, for a removal. What is not yet durable is refused.
    Task<> end();
    Offset recovery_point() const { return recovery_point_; }
    // After end().
    Task<> close_files();
    // Beyond the first segment's base only if a prefix has been deleted. While the segments are not known, it may be.
    bool starts_inside() const { return segments_.empty() || log_start_ > segments_.front()->base; }
    // Gives back what has not been used since: chunks, blocks allocated ahead, indexes in memory, descriptors.
    Task<> relax(Instant unused_since);

private:
    enum class State : uint8_t {
        open,
        reloading,  // After an append that was taken back: reads wait, appends are refused.
        offline,    // A write or a sync failed: what the file holds is unknown until a restart.
        ended,      // Closed or removed.
    };

    // Somebody who waits until the log is durable up to `end`.
    class Durable {
    public:
        Durable(Log& log, Offset end) : log_(log), end_(end) {}
        Durable(const Durable&) = delete;
        bool await_ready() const { return end_ <= log_.high_watermark_; }
        void await_suspend(std::coroutine_handle<> waiter);
        Result<> await_resume() const { return failure_ ? Result<>(fail(*failure_)) : Result<>(); }

    private:
        friend class Log;
        Log& log_;
        Offset end_;
        std::optional<Errc> failure_;
        std::coroutine_handle<> waiter_{};
        Durable* next_ = nullptr;
    };

    // Counts those who are inside, so that the log does not end or reload under them.
    class Visit {
    public:
        explicit Visit(Log& log) : log_(log) { ++log_.visits_; }
        Visit(const Visit&) = delete;
        ~Visit() { if (--log_.visits_ == 0) log_.changed_.notify_all(); }

    private:
        Log& log_;
    };

    std::optional<Errc> refusal() const;

    // log.cpp: taking in.
    Offset take_in(const Accepted& accepted, Bytes bytes, Origin origin);
    void roll(Timestamp now);
    bool space_ran_out(size_t size) const;
    void tell_refused(Errc errc);
    void tell_accepted();
    Segment& active() { return *segments_.back(); }
    void refuse_waiting(Errc errc, Offset beyond);
    void go_offline(Errc errc, const char* what);
    Offset stable_end() const;

    // writer.cpp: from the tail to the disk.
    void start_writer();
    Task<> write_out();
    Task<Result<>> write_next(Tail::Write& write);
    Task<Result<>> fill_missing(Segment& segment, Tail::Write& write);
    Task<Result<>> begin_segment(Segment& segment);
    Task<> finish_segment(Segment& segment, Segment& next);
    Task<Result<>> complete_segment(Segment& segment);
    Task<Result<>> save_indexes(Segment& segment);
    Task<Result<>> open_segment(Segment& segment);
    Task<Result<>> allocate(Segment& segment, uint64_t needed);
    Task<> allocate_ahead(Segment& segment);
    bool wants_more(const Segment& segment) const;
    void committed(Offset end, uint64_t bytes);
    Task<> take_back(Errc errc);
    Task<Result<>> write_epochs();
    Task<Result<>> write_snapshot(Offset offset, std::vector<std::byte> content);

    // reads.cpp
    size_t place_in(Chunk& chunk, Offset from) const;
    Records read_tail(Chunk& first, Offset from, uint32_t bytes_max, bool at_least_one, Offset visible) const;
    // Nothing: the segment has no batch at or behind `from`.
    Task<Result<std::optional<Records>>> read_cold(Segment& segment, Offset from, uint32_t bytes_max, bool at_least_one,
                                                   Offset visible);
    size_t find_segment(Offset offset) const;
    void list_aborted(Records& records, Offset from) const;
    Task<Result<>> ready_indexes(Segment& segment);
    Task<Result<>> build_indexes(Segment& segment);
    void deny(const Segment& segment, OffsetIndex::Found entry) const;
    Task<Result<bool>> index_fits(Segment& segment, OffsetIndex::Found entry);
    Task<Result<uint64_t>> position_of(Segment& segment, Offset from);
    template <class Fits>
    Task<Result<OffsetAndTimestamp>> find_in_segment(Segment& segment, Offset near, Fits fits);
    Task<> until_readable();

    // load.cpp: from the files to a log.
    Task<Result<>> tidy_directory(std::vector<DirectoryEntry>& entries);
    Task<Result<>> load_epochs(Loading& how);
    Task<Result<>> load_segments(const std::vector<DirectoryEntry>& entries, Loading how);
    Task<Result<>> recover_segment(Segment& segment, Offset from, Offset bound, Offset& next, bool& cut);
    Task<Result<>> restore_indexes(Segment& segment);
    Task<Result<>> find_end(Segment& segment, Offset& next);
    Task<Result<>> cut_segment(Segment& segment);
    Task<Result<>> load_transactions(const std::vector<DirectoryEntry>& entries, Offset& whole_below);
    Task<Result<>> load_producers(bool clean, Offset whole_below);
    Task<Result<>> remove_segments_from(size_t first);
    Task<Result<>> remove_offset_files(Offset base);
    Task<Result<>> start_empty(Offset start);
    Task<> forget();

    Shard& shard_;
    PartitionKey key_;
    std::string topic_;
    std::string directory_;
    LogOptions options_;

    State state_ = State::open;
    Errc refused_for_ = Errc::disk_full;  // While it is reloading.
    bool writing_ = false;
    bool dirty_ = false;              // Something came since it was loaded.
    bool epochs_changed_ = false;     // Not yet in the file.
    uint32_t visits_ = 0;
    uint32_t background_ = 0;         // Allocations, segments being finished.
    Event changed_;                   // Of state, visits, background work.

    Offset log_start_;
    Offset end_;
    Offset high_watermark_;           // Everything below is on stable storage.
    Offset last_stable_;
    Offset recovery_point_;

    std::vector<std::unique_ptr<Segment>> segments_;
    Tail tail_;
    Producers producers_;
    Epochs epochs_;
    std::vector<Offset> snapshots_;   // Files, ascending.

    Durable* first_waiting_ = nullptr;
    Durable* last_waiting_ = nullptr;

    uint64_t last_step_ = 0;
    Instant last_allocation_{};
    Instant space_ran_out_at_ = never;
    Instant refused_at_ = never;      // When that was logged; never again once appends succeed.
    Instant last_append_{};
};

}  // namespace rafka::engine
