#pragma once

// What a partition's log must hold, told by those who wrote to it and read from it, and the rules by which what a
// recovery found is judged:
//
//   L1  offsets strictly increase, and batches follow each other without a gap
//   L2  an acknowledged batch is at its offset, with its bytes
//   L3  no two contents for one offset: what a reader has seen stays what it is
//   L4  the high watermark never goes back, over a crash either
//   L5  a batch is there at most once
//   L6  what recovery finds is a prefix of what was written, cut at a batch, with valid checksums
//   L7  indexes lost, emptied or zeroed change no answer
//
// A model is a value: the one of the moment of a crash is a copy.

#include <rafka/partition.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rafka::world {

using BatchId = uint64_t;

// A batch somebody sends, once or again. Its number is in its first record.
struct SentBatch {
    BatchId id = 0;
    int32_t record_count = 0;
    std::vector<std::byte> bytes;
};

// All batches ever sent, by number. Outlives the models.
class Archive {
public:
    // `size` bytes of values in `record_count` records; timestamps from `base` on.
    const SentBatch& make(const BatchBuilder::Options& options, int32_t record_count, size_t size, Timestamp base,
                          bool timestamps_go_back);
    const SentBatch& at(BatchId id) const { return batches_.at(id); }
    bool contains(BatchId id) const { return id < batches_.size(); }

private:
    std::deque<SentBatch> batches_;
};

struct FoundRecord {
    Offset offset;
    Timestamp timestamp;
};

struct FoundBatch {
    BatchId id = 0;
    Offset base_offset;
    int32_t record_count = 0;
    LeaderEpoch epoch = -1;
    std::vector<FoundRecord> records;
};

// Takes stored batches apart and judges each by itself: framing, checksum, bytes as they were sent.
std::vector<FoundBatch> take_apart(const Archive& archive, Bytes bytes);

class LogModel {
public:
    enum class Fate : uint8_t { unknown, acknowledged, failed };
    struct Attempt {
        BatchId batch;
        Fate fate = Fate::unknown;
    };

    // An append begins. Calls come in the order of the appends.
    size_t begin(BatchId batch) {
        attempts_.push_back({batch});
        return attempts_.size() - 1;
    }
    // It came back with a place.
    void acknowledge(size_t attempt, const SentBatch& batch, Offset base_offset);
    // It was refused, or its fate is not known any more. What failed may be there or not, but nowhere else.
    void fail(size_t attempt) { attempts_[attempt].fate = Fate::failed; }
    // It was recognized as one that is there. Returns where.
    std::optional<Offset> place_of(BatchId batch) const;

    // A reader saw this, or a watermark.
    void see(const FoundBatch& batch);
    void see_watermark(Offset watermark);
    Offset watermark() const { return watermark_; }

    // Judges a whole log after a restart, and takes it for certain from now on. `in_order`: it is known in which order
    // the appends came. Of those that came over several connections it is not; then each must at least have been sent.
    void judge(std::span<const FoundBatch> found, Offset high_watermark, bool in_order = true);

    const std::map<int64_t, BatchId>& certain() const { return certain_; }
    size_t attempt_count() const { return attempts_.size(); }

private:
    void note(Offset base_offset, BatchId batch);
    void judge_order(std::span<const FoundBatch> found) const;
    void judge_senders(std::span<const FoundBatch> found) const;

    std::vector<Attempt> attempts_;       // Since the last restart, in order.
    std::map<int64_t, BatchId> certain_;  // By base offset: acknowledged, or seen by a reader.
    size_t judged_ = 0;                   // So many of certain_ were there at the last restart.
    Offset watermark_;
};

}  // namespace rafka::world
