#pragma once

// What a partition knows of its idempotent and transactional producers (Kafka's ProducerStateManager): epoch, the last
// five batches, the open transaction. A batch is checked and noted when it takes its place in the tail, before it is
// durable, so batches of one producer may follow each other in flight. A cache of the log: rebuilt by noting its
// batches again, from a snapshot file on.
//
// Snapshot file, big-endian: int16 version = 1, uint32 crc (CRC-32C of what follows it), int32 count, then per producer
//   int64 id, int16 epoch, int32 last_sequence, int64 last_offset, int32 offset_delta, int64 timestamp,
//   int32 coordinator_epoch, int64 transaction_first_offset (-1: none open)

#include <rafka/partition.hpp>
#include <rafka/record_batch.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace rafka::engine {

struct ProducerBatch {
    int32_t last_sequence = -1;
    int32_t offset_delta = 0;
    Offset last_offset = no_offset;
    Timestamp timestamp = no_timestamp;

    Offset base_offset() const { return last_offset - offset_delta; }
    int32_t first_sequence() const;  // Wraps below 0.

    friend bool operator==(const ProducerBatch&, const ProducerBatch&) = default;
};

struct Producer {
    static constexpr size_t batches_max = 5;

    int16_t epoch = -1;
    uint8_t batch_count = 0;
    int32_t coordinator_epoch = -1;
    Timestamp last_timestamp = no_timestamp;
    Offset transaction_first_offset = no_offset;  // -1: none open.
    std::array<ProducerBatch, batches_max> batches;  // Oldest first.

    bool has_batches() const { return batch_count > 0; }
    const ProducerBatch& newest() const { return batches[size_t(batch_count - 1)]; }
};

// A transaction that a marker has ended. An aborted one has an entry in the transaction index.
struct EndedTransaction {
    int64_t producer_id = -1;
    Offset first_offset;
    Offset last_offset;          // Of the marker.
    Offset last_stable_offset;   // Just after the marker.
    bool aborted = false;
};

class Producers {
public:
    // Whether the batch may be appended now. A value: it is a duplicate of that batch, which is answered with its
    // original offsets and time (once those are durable), and nothing is written. Errors: out_of_order_sequence,
    // invalid_producer_epoch, invalid_record (a plain batch inside its producer's transaction, a marker that is none).
    Result<std::optional<ProducerBatch>> check(BatchView batch, Origin origin) const;

    // The batch, with its final offsets, has taken its place at the end of the log; or is replayed from it.
    // Batches without a producer pass through. Requires a batch whose records parse if it is a control batch.
    std::optional<EndedTransaction> note(BatchView batch);

    // All state is of offsets below this.
    Offset end_offset() const { return end_offset_; }
    // Forgets everything; what is noted next begins at `end`.
    void reset(Offset end);
    // Forgets producers idle for `expiration_ms` or longer that have no open transaction.
    void expire(Timestamp now, int64_t expiration_ms);

    // The first offset that read_committed must not pass: of an open transaction, or of one whose marker is not below
    // `high_watermark`. no_offset: none.
    Offset first_unstable_offset(Offset high_watermark) const;
    // Drops what first_unstable_offset() need not know any more.
    void high_watermark_moved(Offset high_watermark);

    std::vector<std::byte> encode_snapshot() const;
    // Replaces everything by the snapshot that was taken at `end`, without the expired. malformed: version, size, CRC, or it
    // tells of offsets that `end` is not beyond;
    // nothing has changed then.
    Result<> load_snapshot(Bytes file, Offset end, Timestamp now, int64_t expiration_ms);

    const Producer* find(int64_t producer_id) const;
    size_t count() const { return producers_.size(); }
    const std::unordered_map<int64_t, Producer>& all() const { return producers_; }

private:
    std::optional<EndedTransaction> note_marker(BatchView batch);

    std::unordered_map<int64_t, Producer> producers_;
    std::map<Offset, int64_t> open_;                    // First offset of each open transaction, and its producer.
    std::map<Offset, Offset> ended_;                    // First offset and marker of those not yet below the high watermark.
    Offset end_offset_{0};
};

// Entries of a snapshot file, for those who only look.
Result<std::vector<std::pair<int64_t, Producer>>> decode_snapshot(Bytes file);

// The end-transaction marker in a control batch; nothing if its record is another kind of control record.
struct TransactionMarker {
    bool commit = false;
    int32_t coordinator_epoch = -1;
};
Result<std::optional<TransactionMarker>> marker_of(BatchView batch);

}  // namespace rafka::engine
