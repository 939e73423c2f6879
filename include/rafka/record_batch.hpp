#pragma once

// Kafka's record batch v2 (org.apache.kafka DefaultRecordBatch), the unit that is sent, stored and served unchanged.
//
//   @0  int64 base_offset        rewritable, outside the CRC
//   @8  int32 length             of what follows this field; whole batch = length + 12, at least 61
//   @12 int32 leader_epoch       rewritable, outside the CRC
//   @16 int8  magic = 2
//   @17 int32 crc                CRC-32C of [21, end)
//   @21 int16 attributes         bits 0-2 codec, 3 LogAppendTime, 4 transactional, 5 control, 6 delete horizon
//   @23 int32 last_offset_delta
//   @27 int64 base_timestamp
//   @35 int64 max_timestamp
//   @43 int64 producer_id
//   @51 int16 producer_epoch
//   @53 int32 base_sequence
//   @57 int32 record_count
//   @61 records, plain or one compressed block

#include <rafka/bytes.hpp>
#include <rafka/codec.hpp>
#include <rafka/result.hpp>
#include <rafka/types.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace rafka {

namespace batch_at {
inline constexpr size_t base_offset = 0, length = 8, leader_epoch = 12, magic = 16, crc = 17, attributes = 21,
                        last_offset_delta = 23, base_timestamp = 27, max_timestamp = 35, producer_id = 43,
                        producer_epoch = 51, base_sequence = 53, record_count = 57, records = 61;
}
inline constexpr size_t batch_header_size = 61;
inline constexpr size_t batch_size_prefix = 12;  // Enough bytes to know a batch's size.

// A batch in somebody's memory. The accessors require that frame() accepted the bytes (or that they are our own).
class BatchView {
public:
    BatchView() = default;

    // The batch at the start of `bytes`: malformed when shorter than its claims, corrupt_batch when the length is under
    // 61 or the magic is not 2. Looks at nothing beyond the header; see crc_matches() and validate().
    static Result<BatchView> frame(Bytes bytes);
    // Requires a whole, framed batch.
    static BatchView trusted(Bytes bytes) { return BatchView(bytes); }

    Bytes bytes() const { return bytes_; }
    size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }

    Offset base_offset() const;
    Offset last_offset() const;
    Offset next_offset() const { return last_offset() + 1; }
    LeaderEpoch leader_epoch() const;
    uint32_t crc() const;
    int16_t attributes() const;
    int32_t last_offset_delta() const;
    Timestamp base_timestamp() const;
    Timestamp max_timestamp() const;
    int64_t producer_id() const;
    int16_t producer_epoch() const;
    int32_t base_sequence() const;
    int32_t last_sequence() const;  // Wraps from 2^31-1 to 0.
    int32_t record_count() const;
    Bytes records() const { return bytes_.subspan(batch_header_size); }

    Codec codec() const { return Codec(attributes() & 7); }
    bool is_log_append_time() const { return attributes() & 0x08; }
    bool is_transactional() const { return attributes() & 0x10; }
    bool is_control() const { return attributes() & 0x20; }
    bool has_delete_horizon() const { return attributes() & 0x40; }
    bool has_producer() const { return producer_id() >= 0; }

    bool crc_matches() const;

private:
    explicit BatchView(Bytes bytes) : bytes_(bytes) {}
    Bytes bytes_;
};

// Patches of a stored batch; both fields are outside the CRC.
void set_base_offset(MutableBytes batch, Offset offset);
void set_leader_epoch(MutableBytes batch, LeaderEpoch epoch);
// LogAppendTime: sets the type bit and the maximum, and recomputes the CRC.
void set_log_append_time(MutableBytes batch, Timestamp time);
void set_max_timestamp(MutableBytes batch, Timestamp time);  // Recomputes the CRC.
void update_crc(MutableBytes batch);

struct HeaderView {
    std::string_view key;
    std::optional<Bytes> value;
};

// One record; everything in it is a view of the batch (or of its decompressed form).
struct RecordView {
    int32_t offset_delta = 0;
    int64_t timestamp_delta = 0;
    std::optional<Bytes> key;
    std::optional<Bytes> value;
    Bytes headers;  // Count and headers as they stand; see read_headers().
    int32_t header_count = 0;
};

// Walks the records of a batch, decompressing when needed into a buffer of its own.
class RecordReader {
public:
    // `decompressed_max` bounds the memory a compressed batch may take.
    static Result<RecordReader> open(BatchView batch, size_t decompressed_max);
    RecordReader(RecordReader&&) = default;  // Its views follow it; of a copy they would not.
    RecordReader& operator=(RecordReader&&) = default;

    // False at the end; then, if ok() is false, the batch is broken at that record (Errc::invalid_record: a length, a
    // varint, or bytes left over or missing after record_count records).
    bool next(RecordView& record);
    bool ok() const { return !failed_; }
    Timestamp timestamp_of(const RecordView& record) const;
    Offset offset_of(const RecordView& record) const { return batch_.base_offset() + record.offset_delta; }

private:
    RecordReader() = default;

    BatchView batch_;
    std::vector<std::byte> plain_;
    Bytes rest_;
    int32_t left_ = 0;
    bool failed_ = false;
};
Result<std::vector<HeaderView>> read_headers(const RecordView& record);

// Builds a batch from records: for coordinators, the controller, clients and tests.
class BatchBuilder {
public:
    struct Options {
        Offset base_offset{0};
        LeaderEpoch leader_epoch = -1;
        Codec codec = Codec::none;
        bool log_append_time = false;
        bool transactional = false;
        bool control = false;
        int64_t producer_id = -1;
        int16_t producer_epoch = -1;
        int32_t base_sequence = -1;
        Options() {}
    };
    explicit BatchBuilder(const Options& options = Options());

    void add(Timestamp timestamp, std::optional<Bytes> key, std::optional<Bytes> value,
             std::span<const HeaderView> headers = {});
    int32_t record_count() const { return count_; }
    size_t size_estimate() const { return batch_header_size + records_.size(); }
    // The finished batch; the builder is then empty.
    std::vector<std::byte> build();

private:
    Options options_;
    std::vector<std::byte> records_;
    Timestamp base_timestamp_ = no_timestamp;
    Timestamp max_timestamp_ = no_timestamp;
    int32_t count_ = 0;
};

}  // namespace rafka
