#pragma once

// Walks the records of a batch of any size in little memory: of a compressed one only a window of its plain form exists
// at a time. Sees what validation and lookups by time need; whoever wants keys and values has RecordReader.

#include "engine/codec_stream.hpp"

#include <rafka/record_batch.hpp>

#include <cstdint>
#include <memory>

namespace rafka::engine {

// A batch, compressed or not, may not hold more than this: what a few bytes can claim must not stop a loop for seconds.
inline constexpr size_t plain_bytes_max = 128u << 20;

// What is seen of a record.
struct RecordGlance {
    Timestamp timestamp;
    int32_t offset_delta = 0;
    bool has_attributes = false;  // Kafka defines none.
    bool has_key = false;
};

// The windows of a thread's walks are one and the same: a walk is finished, or given up, before the next one begins, and
// nobody waits in between.
class RecordWalk {
public:
    // `copy`, if given, is written the plain form of a compressed batch as it passes. unsupported_codec: no such codec.
    static Result<RecordWalk> open(BatchView batch, Encoder* copy = nullptr);

    // False behind the last record. invalid_record: see why(); too_large: more than plain_bytes_max.
    Result<bool> next(RecordGlance& record);
    // What is wrong with the record that was not read: a literal.
    const char* why() const { return why_; }

private:
    explicit RecordWalk(BatchView batch) : batch_(batch) {}

    const std::byte* at() const { return at_; }
    uint64_t position() const { return passed_ + uint64_t(at_ - begin_); }
    bool fits(uint64_t record_end, int64_t size) const;
    Result<> show(size_t size);
    Result<bool> skip(uint64_t size);
    Result<bool> number_behind(int32_t size, int32_t& number);
    Result<> refill();
    Result<const char*> walk(RecordGlance& record);
    Result<const char*> walk_headers(int32_t value_size, uint64_t record_end);

    BatchView batch_;
    int32_t left_ = 0;
    const char* why_ = "";
    std::unique_ptr<Decoder> decoder_;
    Encoder* copy_ = nullptr;
    const std::byte* at_ = nullptr;
    const std::byte* end_ = nullptr;
    const std::byte* begin_ = nullptr;
    uint64_t passed_ = 0;    // Bytes before the window.
    uint64_t produced_ = 0;  // By the decoder.
};

}  // namespace rafka::engine
