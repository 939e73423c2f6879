#include "engine/validation.hpp"

#include "engine/record_walk.hpp"

#include "base/assert.hpp"
#include "base/endian.hpp"

#include <algorithm>
#include <memory>

namespace rafka::engine {
namespace {

constexpr int unused_attribute_bits = ~0x7f;

bool is_in_range(Timestamp time, Timestamp now, const LogOptions& options) {
    auto age = __int128(now.ms) - time.ms;
    return age <= options.timestamp_before_max_ms && -age <= options.timestamp_after_max_ms;
}

bool has_room(const std::vector<RejectedRecord>* rejected) { return rejected && rejected->size() < rejected_records_max; }

void reject(std::vector<RejectedRecord>* rejected, int32_t index, std::string_view why) {
    if (has_room(rejected)) rejected->push_back({index, std::string(why), false});
}

void reject_without_key(std::vector<RejectedRecord>* rejected, int32_t index) {
    if (has_room(rejected)) rejected->push_back({index, "Compacted topic cannot accept message without key in topic partition ", true});
}

void reject_time(std::vector<RejectedRecord>* rejected, int32_t index, Timestamp time, Timestamp now, const LogOptions& options) {
    if (!has_room(rejected)) return;
    // Limits without an end go round in 64 bits, as Kafka's do.
    auto earliest = int64_t(uint64_t(now.ms) - uint64_t(options.timestamp_before_max_ms));
    auto latest = int64_t(uint64_t(now.ms) + uint64_t(options.timestamp_after_max_ms));
    rejected->push_back({index, "Timestamp " + std::to_string(time.ms) + " of message with offset " + std::to_string(index) +
                                    " is out of range. The timestamp should be within [" + std::to_string(earliest) + ", " +
                                    std::to_string(latest) + "]", false});
}

// Walks all records of a client's batch. The value is the greatest of their timestamps.
Result<Timestamp> check_records(RecordWalk walk, int32_t count, const LogOptions& options, Timestamp now,
                                std::vector<RejectedRecord>* rejected) {
    auto largest = no_timestamp;
    std::optional<Errc> refused;
    for (int32_t i = 0;; ++i) {
        RecordGlance record;
        auto more = walk.next(record);
        if (more && !*more) break;
        const char* broken = nullptr;
        if (!more) broken = walk.why();
        else if (record.has_attributes) broken = "A record has no attributes.";
        else if (record.offset_delta != i) broken = "Offsets within a batch count 0, 1, 2, and so on.";
        if (broken) {
            auto errc = more ? Errc::invalid_record : more.error();
            if (i < count && errc == Errc::invalid_record) reject(rejected, i, broken);
            return fail(errc);
        }
        largest = std::max(largest, record.timestamp);
        if (options.keys_required && !record.has_key) {
            reject_without_key(rejected, i);
            if (!refused) refused = Errc::invalid_record;
        } else if (!options.log_append_time && record.timestamp != no_timestamp && !is_in_range(record.timestamp, now, options)) {
            reject_time(rejected, i, record.timestamp, now, options);
            refused = Errc::invalid_timestamp;
        }
    }
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
        reject(rejected, 0, "Producer should not set timestamp type to LogAppendTime.");
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
    TRY(auto walk, RecordWalk::open(batch, copy.get()));
    TRY(auto largest, check_records(std::move(walk), batch.record_count(), options, now, rejected));

    accepted.max_timestamp = options.log_append_time ? now : largest;
    if (options.log_append_time) accepted.log_append_time = now;
    accepted.patch_time = options.log_append_time || batch.max_timestamp() != largest;
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
