#include "engine/record_walk.hpp"

#include "base/varint.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace rafka::engine {
namespace {

MutableBytes window() {
    static thread_local std::array<std::byte, 64u << 10> bytes;
    return bytes;
}

// A decoder's input that does not decode is a broken record to whoever walks.
Errc as_record_failure(Errc errc) { return errc == Errc::malformed ? Errc::invalid_record : errc; }

}  // namespace

Result<RecordWalk> RecordWalk::open(BatchView batch, Encoder* copy) {
    RecordWalk walk(batch);
    walk.left_ = batch.record_count();
    walk.copy_ = copy;
    if (walk.left_ < 0) return fail(Errc::invalid_record);
    if (batch.codec() == Codec::none || batch.records().empty()) {
        walk.at_ = walk.begin_ = batch.records().data();
        walk.end_ = walk.at_ + batch.records().size();
    } else {
        TRY(walk.decoder_, decoder(batch.codec(), batch.records()));
        walk.at_ = walk.begin_ = walk.end_ = window().data();
    }
    return walk;
}

Result<bool> RecordWalk::next(RecordGlance& record) {
    if (left_ == 0) {
        auto shown = show(1);
        if (shown && at_ == end_) return false;
        why_ = "Bytes follow the last record.";
        return fail(shown ? Errc::invalid_record : as_record_failure(shown.error()));
    }
    auto broken = walk(record);
    if (broken && !*broken) {
        --left_;
        return true;
    }
    why_ = broken ? *broken : "The batch does not decompress.";
    return fail(broken ? Errc::invalid_record : as_record_failure(broken.error()));
}

// Makes `size` bytes visible, or as many as are left. Few: a window's worth at most.
Result<> RecordWalk::show(size_t size) {
    if (size_t(end_ - at_) >= size || !decoder_) [[likely]] return {};
    return refill();
}

// False: there are not that many.
Result<bool> RecordWalk::skip(uint64_t size) {
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

Result<> RecordWalk::refill() {
    auto left = size_t(end_ - at_);
    passed_ += uint64_t(at_ - begin_);
    if (left > 0) std::memmove(window().data(), at_, left);
    at_ = begin_ = window().data();
    end_ = at_ + left;
    auto room = window().subspan(left);
    TRY(auto size, decoder_->read(room));
    produced_ += size;
    if (produced_ > plain_bytes_max) return fail(Errc::too_large);
    if (copy_) CHECKED(copy_->write(room.first(size)));
    end_ += size;
    return {};
}

// Whether that many bytes are left of the record.
bool RecordWalk::fits(uint64_t record_end, int64_t size) const {
    return position() <= record_end && uint64_t(size) <= record_end - position();
}

// Skips that many bytes (-1: none) and reads the number behind them.
Result<bool> RecordWalk::number_behind(int32_t size, int32_t& number) {
    TRY(auto there, skip(uint64_t(std::max(size, 0))));
    if (!there) return false;
    CHECKED(show(varint_size_max));
    auto* after = read_varint(at_, end_, number);
    if (!after) return false;
    at_ = after;
    return true;
}

// What is wrong with the record, or null.
Result<const char*> RecordWalk::walk(RecordGlance& record) {
    constexpr size_t fixed_part_max = varint_size_max + 1 + varlong_size_max + 2 * varint_size_max;
    CHECKED(show(fixed_part_max));
    int32_t length;
    auto* from = read_varint(at_, end_, length);
    if (!from) return "The record's length is not a number.";
    if (length < 0) return "The record's length is negative.";
    at_ = from;
    auto record_end = position() + uint64_t(length);

    if (from == end_) return "The batch ends inside a record.";
    record.has_attributes = *from++ != std::byte{0};
    int64_t timestamp_delta;
    int32_t key_size;
    from = read_varlong(from, end_, timestamp_delta);
    if (from) from = read_varint(from, end_, record.offset_delta);
    if (from) from = read_varint(from, end_, key_size);
    if (!from) return "The record's timestamp, offset or key length is not a number.";
    at_ = from;
    if (batch_.is_log_append_time()) record.timestamp = batch_.max_timestamp();
    else if (__builtin_add_overflow(batch_.base_timestamp().ms, timestamp_delta, &record.timestamp.ms)) return "The record's timestamp overflows.";
    record.has_key = key_size >= 0;
    if (key_size < -1 || !fits(record_end, std::max(key_size, 0))) return "The record's key length is wrong.";
    int32_t value_size;
    TRY(auto has_value, number_behind(key_size, value_size));
    if (!has_value || value_size < -1 || !fits(record_end, std::max(value_size, 0))) return "The record's value length is wrong.";
    return walk_headers(value_size, record_end);
}

Result<const char*> RecordWalk::walk_headers(int32_t value_size, uint64_t record_end) {
    int32_t header_count;
    TRY(auto has_headers, number_behind(value_size, header_count));
    // A header is two bytes at least.
    if (!has_headers || header_count < 0 || !fits(record_end, int64_t(header_count) * 2)) return "The record's header count is wrong.";
    int32_t previous_size = 0;
    for (int32_t i = 0; i < header_count; ++i) {
        int32_t name_size;
        TRY(auto has_name, number_behind(previous_size, name_size));
        if (!has_name || name_size < 0 || !fits(record_end, name_size)) return "A header's key length is wrong.";
        TRY(auto has_value, number_behind(name_size, previous_size));
        if (!has_value || previous_size < -1 || !fits(record_end, std::max(previous_size, 0))) return "A header's value length is wrong.";
    }
    TRY(auto whole, skip(uint64_t(std::max(previous_size, 0))));
    if (!whole) return "The batch ends inside a record.";
    if (position() != record_end) return "The record's length is not that of its fields.";
    return nullptr;
}

}  // namespace rafka::engine
