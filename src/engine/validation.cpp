#include "engine/validation.hpp"

#include "engine/codec_stream.hpp"

#include "base/assert.hpp"
#include "base/endian.hpp"
#include "base/varint.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

namespace rafka::engine {
namespace {

constexpr int unused_attribute_bits = ~0x7f;

// The record bytes of a batch, plain or as a decoder yields them, seen through a window that moves forward.
class RecordBytes {
public:
    explicit RecordBytes(Bytes plain) : at_(plain.data()), end_(plain.data() + plain.size()), begin_(at_) {}
    explicit RecordBytes(std::unique_ptr<Decoder> decoder, Encoder* copy = nullptr)
        : decoder_(std::move(decoder)), copy_(copy), window_(window()) {
        at_ = end_ = begin_ = window_.data();
    }

    const std::byte* at() const { return at_; }
    const std::byte* end() const { return end_; }
    void move_to(const std::byte* at) { at_ = at; }
    uint64_t position() const { return passed_ + uint64_t(at_ - begin_); }

    // Makes `size` bytes visible, or as many as are left. Few: a window's worth at most.
    Result<> show(size_t size) {
        if (size_t(end_ - at_) >= size || !decoder_) [[likely]] return {};
        return refill();
    }

    // False: there are not that many.
    Result<bool> skip(uint64_t size) {
        while (size > uint64_t(end_ - at_)) {
            size -= uint64_t(end_ - at_);
            at_ = end_;
            if (!decoder_) return false;
            CHECKED(refill());
            if (at_ == end_) return false;
        }
        at_ += size;
        return true;
    }

    Result<bool> at_end() {
        CHECKED(show(1));
        return at_ == end_;
    }

private:
    static MutableBytes window() {
        // Between two waits nothing else runs on this thread, and no validation waits: one window is enough.
        static thread_local std::array<std::byte, 64u << 10> bytes;
        return bytes;
    }

    Result<> refill() {
        auto left = size_t(end_ - at_);
        passed_ += uint64_t(at_ - begin_);
        if (left > 0) std::memmove(window_.data(), at_, left);
        at_ = begin_ = window_.data();
        auto room = window_.subspan(left);
        TRY(auto size, decoder_->read(room));
        produced_ += size;
        if (produced_ > plain_bytes_max) return fail(Errc::too_large);
        if (copy_) CHECKED(copy_->write(room.first(size)));
        end_ = at_ + left + size;
        return {};
    }

    std::unique_ptr<Decoder> decoder_;
    Encoder* copy_ = nullptr;
    MutableBytes window_;
    const std::byte* at_ = nullptr;
    const std::byte* end_ = nullptr;
    const std::byte* begin_ = nullptr;
    uint64_t passed_ = 0;
    uint64_t produced_ = 0;
};

// What is needed of a record.
struct Seen {
    Timestamp timestamp;
    int32_t offset_delta = 0;
    bool has_key = false;
};

// Walks one record. A literal that says what is wrong with it, or null.
Result<const char*> walk(RecordBytes& bytes, Timestamp base_timestamp, Seen& seen) {
    constexpr size_t fixed_part_max = varint_size_max + 1 + varlong_size_max + 2 * varint_size_max;
    CHECKED(bytes.show(fixed_part_max));
    int32_t length;
    auto* from = read_varint(bytes.at(), bytes.end(), length);
    if (!from) return "The record's length is not a number.";
    if (length < 0) return "The record's length is negative.";
    bytes.move_to(from);
    auto record_end = bytes.position() + uint64_t(length);
    // True when `size` bytes are left of this record.
    auto fits = [&](int64_t size) { return bytes.position() <= record_end && uint64_t(size) <= record_end - bytes.position(); };

    if (from == bytes.end()) return "The batch ends inside a record.";
    if (*from++ != std::byte{0}) return "A record has no attributes.";
    int64_t timestamp_delta;
    int32_t key_size;
    from = read_varlong(from, bytes.end(), timestamp_delta);
    if (from) from = read_varint(from, bytes.end(), seen.offset_delta);
    if (from) from = read_varint(from, bytes.end(), key_size);
    if (!from) return "The record's timestamp, offset or key length is not a number.";
    bytes.move_to(from);
    if (__builtin_add_overflow(base_timestamp.ms, timestamp_delta, &seen.timestamp.ms)) return "The record's timestamp overflows.";
    seen.has_key = key_size >= 0;
    if (key_size < -1 || !fits(std::max(key_size, 0))) return "The record's key length is wrong.";

    // Skips that many bytes and reads the number behind them.
    auto number_behind = [&](int32_t size, int32_t& number) -> Result<bool> {
        TRY(auto there, bytes.skip(uint64_t(std::max(size, 0))));
        if (!there) return false;
        CHECKED(bytes.show(varint_size_max));
        auto* after = read_varint(bytes.at(), bytes.end(), number);
        if (!after) return false;
        bytes.move_to(after);
        return true;
    };
    int32_t value_size;
    TRY(auto has_value, number_behind(key_size, value_size));
    if (!has_value || value_size < -1 || !fits(std::max(value_size, 0))) return "The record's value length is wrong.";
    int32_t header_count;
    TRY(auto has_headers, number_behind(value_size, header_count));
    if (!has_headers || header_count < 0 || !fits(int64_t(header_count) * 2)) return "The record's header count is wrong.";
    int32_t previous_size = 0;
    for (int32_t i = 0; i < header_count; ++i) {
        int32_t name_size;
        TRY(auto has_name, number_behind(previous_size, name_size));
        if (!has_name || name_size < 0 || !fits(name_size)) return "A header's key length is wrong.";
        TRY(auto has_header_value, number_behind(name_size, previous_size));
        if (!has_header_value || previous_size < -1 || !fits(std::max(previous_size, 0))) return "A header's value length is wrong.";
    }
    TRY(auto whole, bytes.skip(uint64_t(std::max(previous_size, 0))));
    if (!whole) return "The batch ends inside a record.";
    if (bytes.position() != record_end) return "The record's length is not that of its fields.";
    return nullptr;
}

bool is_in_range(Timestamp time, Timestamp now, const LogOptions& options) {
    auto age = __int128(now.ms) - time.ms;
    return age <= options.timestamp_before_max_ms && -age <= options.timestamp_after_max_ms;
}

void reject(std::vector<RejectedRecord>* rejected, int32_t index, std::string_view why) {
    if (rejected && rejected->size() < rejected_records_max) rejected->push_back({index, why});
}

// Walks all records of a client's batch. The value is the greatest of their timestamps.
Result<Timestamp> check_records(RecordBytes bytes, BatchView batch, const LogOptions& options, Timestamp now,
                                std::vector<RejectedRecord>* rejected) {
    auto largest = no_timestamp;
    auto base_timestamp = batch.base_timestamp();
    std::optional<Errc> refused;
    for (int32_t i = 0, count = batch.record_count(); i < count; ++i) {
        Seen seen;
        TRY(auto broken, walk(bytes, base_timestamp, seen));
        if (!broken && seen.offset_delta != i) broken = "Offsets within a batch count 0, 1, 2, and so on.";
        if (broken) {
            reject(rejected, i, broken);
            return fail(Errc::invalid_record);
        }
        largest = std::max(largest, seen.timestamp);
        if (options.keys_required && !seen.has_key) {
            reject(rejected, i, "A record of a compacted topic needs a key.");
            if (!refused) refused = Errc::invalid_record;
        } else if (!options.log_append_time && seen.timestamp != no_timestamp && !is_in_range(seen.timestamp, now, options)) {
            reject(rejected, i, "The timestamp is outside message.timestamp.before.max.ms or message.timestamp.after.max.ms.");
            refused = Errc::invalid_timestamp;
        }
    }
    TRY(auto at_end, bytes.at_end());
    if (!at_end) return fail(Errc::invalid_record);
    if (refused) return fail(*refused);
    return largest;
}

// What its header claims, without its records.
Result<> check_header(BatchView batch, std::vector<RejectedRecord>* rejected) {
    if (batch.base_offset() != Offset{0}) return fail(Errc::invalid_record);
    if (!batch.crc_matches()) return fail(Errc::corrupt_batch);
    if (batch.attributes() & unused_attribute_bits) return fail(Errc::invalid_record);
    if (batch.record_count() <= 0 || batch.last_offset_delta() != batch.record_count() - 1) return fail(Errc::invalid_record);
    if (batch.is_control() || batch.has_delete_horizon()) return fail(Errc::invalid_record);
    if (batch.has_producer() && (batch.base_sequence() < 0 || batch.producer_epoch() < 0)) return fail(Errc::invalid_record);
    if (batch.is_transactional() && !batch.has_producer()) return fail(Errc::invalid_record);
    if (batch.is_log_append_time()) {
        reject(rejected, 0, "Only the broker sets LogAppendTime.");
        return fail(Errc::invalid_timestamp);
    }
    if (batch.codec() > Codec::zstd) return fail(Errc::unsupported_codec);
    return {};
}

// A new batch with the same header and records, but for codec, length, time and CRC, which finish() sets.
void finish(std::vector<std::byte>& batch, Codec codec, const Accepted& accepted) {
    constexpr int16_t codec_bits = 7;
    auto attributes = load_be<int16_t>(batch.data() + batch_at::attributes);
    store_be(batch.data() + batch_at::attributes, int16_t((attributes & ~codec_bits) | int16_t(codec)));
    store_be(batch.data() + batch_at::length, int32_t(batch.size() - batch_size_prefix));
    if (accepted.log_append_time != no_timestamp) set_log_append_time(batch, accepted.log_append_time);
    else set_max_timestamp(batch, accepted.max_timestamp);
}

// Writes through to a vector, and stops at its bound.
class PlainCopy final : public Encoder {
public:
    PlainCopy(std::vector<std::byte>& out, size_t size_max) : out_(out), size_max_(size_max) {}
    Result<> write(Bytes in) override {
        if (out_.size() + in.size() > size_max_) return fail(Errc::too_large);
        out_.insert(out_.end(), in.begin(), in.end());
        return {};
    }
    Result<> finish() override { return {}; }

private:
    std::vector<std::byte>& out_;
    size_t size_max_;
};

// The same for a codec: what has come out so far may not be too large already.
class BoundedEncoder final : public Encoder {
public:
    BoundedEncoder(std::unique_ptr<Encoder> to, std::vector<std::byte>& out, size_t size_max)
        : to_(std::move(to)), out_(out), size_max_(size_max) {}
    Result<> write(Bytes in) override {
        CHECKED(to_->write(in));
        return check();
    }
    Result<> finish() override {
        CHECKED(to_->finish());
        return check();
    }

private:
    Result<> check() const {
        if (out_.size() > size_max_) return fail(Errc::too_large);
        return {};
    }
    std::unique_ptr<Encoder> to_;
    std::vector<std::byte>& out_;
    size_t size_max_;
};

Result<Accepted> accept_client(BatchView batch, const LogOptions& options, Timestamp now, size_t size_max,
                               std::vector<RejectedRecord>* rejected) {
    CHECKED(check_header(batch, rejected));
    auto source = batch.codec();
    auto target = options.compression.value_or(source);
    Accepted accepted;
    accepted.offset_count = batch.record_count();

    std::unique_ptr<Encoder> copy;
    if (target != source) {
        auto header = batch.bytes().first(batch_header_size);
        accepted.replacement.assign(header.begin(), header.end());
        if (target == Codec::none) {
            copy = std::make_unique<PlainCopy>(accepted.replacement, size_max);
        } else {
            TRY(auto to, encoder(target, accepted.replacement, options.compression_level));
            copy = std::make_unique<BoundedEncoder>(std::move(to), accepted.replacement, size_max);
        }
    }
    auto records = [&]() -> Result<RecordBytes> {
        if (source == Codec::none) return RecordBytes(batch.records());
        TRY(auto from, decoder(source, batch.records()));
        return RecordBytes(std::move(from), copy.get());
    }();
    if (!records) return fail(records.error());
    auto largest = check_records(std::move(*records), batch, options, now, rejected);
    if (!largest) return fail(largest.error() == Errc::malformed ? Errc::invalid_record : largest.error());

    accepted.max_timestamp = options.log_append_time ? now : *largest;
    if (options.log_append_time) accepted.log_append_time = now;
    accepted.patch_time = options.log_append_time || batch.max_timestamp() != *largest;
    if (copy) {
        if (source == Codec::none) CHECKED(copy->write(batch.records()));
        CHECKED(copy->finish());
        finish(accepted.replacement, target, accepted);
        accepted.patch_time = false;
    }
    return accepted;
}

}  // namespace

void Accepted::stamp(MutableBytes stored, Offset base_offset, std::optional<LeaderEpoch> epoch) const {
    set_base_offset(stored, base_offset);
    if (epoch) set_leader_epoch(stored, *epoch);
    if (!patch_time) return;
    if (log_append_time != no_timestamp) set_log_append_time(stored, log_append_time);
    else set_max_timestamp(stored, max_timestamp);
}

Result<Accepted> validate(Bytes payload, Origin origin, const LogOptions& options, Timestamp now,
                          std::vector<RejectedRecord>* rejected) {
    auto batch = BatchView::frame(payload);
    if (!batch) {
        // An older format, and less or more than a batch, are the client's mistake; a length that cannot be is damage.
        if (batch.error() == Errc::malformed) return fail(Errc::invalid_record);
        bool is_old = payload.size() > batch_at::magic && uint8_t(payload[batch_at::magic]) < 2;
        return fail(is_old ? Errc::invalid_record : batch.error());
    }
    if (batch->size() != payload.size()) return fail(Errc::invalid_record);
    auto size_max = size_t(std::min(options.max_message_bytes, options.segment_bytes));
    if (origin == Origin::controller) size_max = options.segment_bytes;
    if (batch->size() > size_max) return fail(Errc::too_large);
    if (origin == Origin::client) return accept_client(*batch, options, now, size_max, rejected);

    // Ours: built by BatchBuilder, with its CRC.
    ASSERT(batch->record_count() > 0 && batch->last_offset_delta() == batch->record_count() - 1);
    ASSERT_SLOW(batch->crc_matches());
    Accepted accepted;
    accepted.offset_count = batch->record_count();
    accepted.max_timestamp = batch->max_timestamp();
    if (options.log_append_time && origin == Origin::coordinator) {
        accepted.max_timestamp = accepted.log_append_time = now;
        accepted.patch_time = true;
    }
    return accepted;
}

}  // namespace rafka::engine
