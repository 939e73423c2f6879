#pragma once

// One partition's log. Owned by the Engine, lives on one loop (Engine::loop_of); every call is made on that loop, so
// others come by call_on(). With one replica the high watermark is what is on stable storage.

#include <rafka/options.hpp>
#include <rafka/record_batch.hpp>
#include <rafka/task.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rafka {

namespace engine {
class Chunk;
class Log;
}

namespace detail {
// For small containers that come and go with every request: their memory comes from the lists of
// coroutine frames.
template <class T>
struct FrameAllocator {
    using value_type = T;
    FrameAllocator() = default;
    template <class U>
    FrameAllocator(const FrameAllocator<U>&) noexcept {}
    T* allocate(size_t count) { return static_cast<T*>(allocate_frame(count * sizeof(T))); }
    void deallocate(T* first, size_t count) noexcept { free_frame(first, count * sizeof(T)); }
    friend bool operator==(FrameAllocator, FrameAllocator) { return true; }
};
}  // namespace detail

// Keeps bytes that are on their way to a socket: a chunk of the tail, or a buffer a cold read filled. One loop each; a
// fetch from another loop returns it there (Records are given back with call_on, see Partition::release).
class Pin {
public:
    Pin() = default;
    explicit Pin(engine::Chunk* chunk);  // Takes a count.
    Pin(Pin&& from) noexcept : chunk_(std::exchange(from.chunk_, nullptr)) {}
    Pin& operator=(Pin&& from) noexcept { std::swap(chunk_, from.chunk_); return *this; }
    ~Pin();

private:
    engine::Chunk* chunk_ = nullptr;  // Its count is atomic, since fetches of other loops drop it.
};

// A reader of committed records skips what this producer wrote from there to its next abort marker.
struct AbortedTransaction {
    int64_t producer_id = -1;
    Offset first_offset;
};

// What a fetch returns: whole batches as pieces of memory, nothing copied or decoded.
struct Records {
    struct Piece {
        Bytes bytes;
        Pin pin;
    };
    std::vector<Piece, detail::FrameAllocator<Piece>> pieces;
    size_t size = 0;
    std::vector<AbortedTransaction> aborted;  // Under read_committed: those that reach into the batches.
    bool more = false;  // What follows is readable too, and was kept back by bytes_max.

    // Drops what is behind the longest run of whole batches within `bytes_max`; the first stays in any case if so asked.
    void keep(size_t bytes_max, bool at_least_one);
};

// One record of an append that was refused (Produce v8+ names them to the client).
struct RejectedRecord {
    int32_t index = 0;
    std::string message;           // As Kafka words it.
    bool names_partition = false;  // The sentence ends with the partition's name, which whoever answers puts behind it.
};

struct Appended {
    Offset base_offset;
    Timestamp log_append_time = no_timestamp;  // -1 under CreateTime. Of a duplicate: its own, as Kafka answers.
    Offset log_start_offset;
    bool duplicate = false;                    // Of one of the producer's last five batches: nothing was written.
};

// Who appends decides what is checked.
enum class Origin : uint8_t {
    client,       // All of Kafka's checks of a produce request.
    coordinator,  // Our own batches: control batches allowed; offsets, CRC and epoch are set here.
    controller,   // The same, and the batch's leader epoch stays as given (the quorum's epoch).
};

struct OffsetAndTimestamp {
    Offset offset = no_offset;
    Timestamp timestamp = no_timestamp;
    LeaderEpoch leader_epoch = -1;
};

struct EpochEnd {
    LeaderEpoch epoch = -1;
    Offset end_offset = no_offset;
};

// What happened to a partition, for those who watch it.
struct Growth {
    uint64_t bytes = 0;            // So many more are readable,
    uint64_t stable_bytes = 0;     // and so many under read_committed;
    bool stable_unknown = false;   // more than that, how many is not known here.
    bool otherwise = false;        // It ends, or its leader epoch, log start or state changed: a reason to look again.
};

// Told of every growth: an intrusive entry in the partition's list, living with whoever waits.
class Watch {
public:
    // Runs on the partition's loop inside the commit: it may remove the watch or wake somebody, not wait.
    using Grown = void (*)(Watch& watch, const Growth& growth);
    explicit Watch(Grown grown) : grown(grown) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    Grown grown;
    Watch* next = nullptr;
    Watch* previous = nullptr;
    class Partition* partition = nullptr;  // Where it is; null: nowhere.
};

class Partition {
public:
    virtual ~Partition();

    virtual const PartitionKey& key() const = 0;
    virtual const std::string& topic() const = 0;

    // Validates (Kafka's LogValidator and UnifiedLog.analyzeAndValidateRecords), checks the producer's sequence, takes
    // offsets and place in the tail before anything waits, and returns when the batch is on stable storage.
    // `batch` must stay until then. Errors: corrupt_batch, invalid_record (with `rejected`), too_large,
    // invalid_timestamp, unsupported_codec, out_of_order_sequence, invalid_producer_epoch, disk_full, storage_offline.
    virtual Task<Result<Appended>> append(Bytes batch, Origin origin,
                                          std::vector<RejectedRecord>* rejected = nullptr) = 0;

    // Whole batches from the one that contains `from`, up to `bytes_max`; with `at_least_one` the first batch comes even
    // if it is larger. Empty when nothing is readable at `from` yet. Errors: offset_out_of_range, storage_offline.
    // Never beyond the high watermark, or the last stable offset under read_committed.
    virtual Task<Result<Records>> read(Offset from, uint32_t bytes_max, bool at_least_one, Isolation isolation) = 0;
    // How many bytes read() would find from `from`, without touching them (positions are in memory or cheap to find).
    virtual Task<Result<uint64_t>> readable(Offset from, Isolation isolation) = 0;

    virtual Offset log_start_offset() const = 0;
    virtual Offset log_end_offset() const = 0;
    virtual Offset high_watermark() const = 0;
    virtual Offset last_stable_offset() const = 0;
    Offset visible_end(Isolation isolation) const {
        return isolation == Isolation::read_committed ? last_stable_offset() : high_watermark();
    }

    // The first record whose timestamp is at or after `time`, exact inside compressed batches too; offset -1 if none.
    virtual Task<Result<OffsetAndTimestamp>> find_by_timestamp(Timestamp time, Isolation isolation) = 0;
    // The record with the greatest timestamp (the first of them), as ListOffsets -3; offset -1 if the log is empty.
    virtual Task<Result<OffsetAndTimestamp>> find_max_timestamp(Isolation isolation) = 0;

    // Leader epochs (KIP-101): LeaderEpochFileCache.
    virtual LeaderEpoch leader_epoch() const = 0;
    virtual Task<Result<>> become_leader(LeaderEpoch epoch) = 0;  // Notes (epoch, log end) durably if it is new.
    virtual EpochEnd epoch_end(LeaderEpoch asked) const = 0;
    virtual LeaderEpoch epoch_of(Offset offset) const = 0;

    virtual void configure(const LogOptions& options) = 0;
    virtual bool offline() const = 0;
    // For a moment its offsets mean nothing; read() waits until they do.
    virtual bool reloading() const = 0;
    // Sum of the sizes of .log files' data.
    virtual uint64_t size_bytes() const = 0;

    void watch(Watch& watch);
    void unwatch(Watch& watch);  // Nothing if it is nowhere.

protected:
    void tell_watches(const Growth& growth);

private:
    Watch* watches_ = nullptr;
    Watch* told_next_ = nullptr;
};

}  // namespace rafka
