#include <rafka/record_batch.hpp>

#include "base/assert.hpp"
#include "base/endian.hpp"
#include "base/hash.hpp"
#include "base/varint.hpp"

#include <algorithm>
#include <limits>

namespace rafka {
namespace {

constexpr int8_t magic = 2;
constexpr size_t length_covers_from = batch_at::leader_epoch;
constexpr size_t crc_covers_from = batch_at::attributes;
constexpr int32_t length_min_any_magic = 14;  // Below it there is not even a record of the oldest format.

template <class T>
T load_at(Bytes bytes, size_t at) { return load_be<T>(bytes.data() + at); }
template <class T>
void store_at(MutableBytes bytes, size_t at, T x) { store_be<T>(bytes.data() + at, x); }

// A length of -1 is null, and nothing below it is a length.
bool take_nullable(const std::byte*& from, const std::byte* end, std::optional<Bytes>& out) {
    int32_t size;
    from = read_varint(from, end, size);
    if (!from || size < -1 || size > end - from) return false;
    if (size < 0) {
        out.reset();
    } else {
        out = Bytes(from, size_t(size));
        from += size;
    }
    return true;
}

void put_varint(std::vector<std::byte>& out, int32_t x) {
    std::byte bytes[varint_size_max];
    out.insert(out.end(), bytes, write_varint(bytes, x));
}
void put_varlong(std::vector<std::byte>& out, int64_t x) {
    std::byte bytes[varlong_size_max];
    out.insert(out.end(), bytes, write_varlong(bytes, x));
}
void put_nullable(std::vector<std::byte>& out, const std::optional<Bytes>& bytes) {
    put_varint(out, bytes ? int32_t(bytes->size()) : -1);
    if (bytes) out.insert(out.end(), bytes->begin(), bytes->end());
}
size_t nullable_size(const std::optional<Bytes>& bytes) {
    return bytes ? varint_size(int32_t(bytes->size())) + bytes->size() : varint_size(-1);
}

}  // namespace

Result<BatchView> BatchView::frame(Bytes bytes) {
    if (bytes.size() < batch_size_prefix) return fail(Errc::malformed);
    auto length = load_at<int32_t>(bytes, batch_at::length);
    if (length < length_min_any_magic) return fail(Errc::corrupt_batch);
    if (bytes.size() > batch_at::magic && load_at<int8_t>(bytes, batch_at::magic) != magic) return fail(Errc::corrupt_batch);
    auto size = size_t(length) + length_covers_from;
    if (size < batch_header_size) return fail(Errc::corrupt_batch);
    if (bytes.size() < size) return fail(Errc::malformed);
    return BatchView(bytes.first(size));
}

Offset BatchView::base_offset() const { return {load_at<int64_t>(bytes_, batch_at::base_offset)}; }
Offset BatchView::last_offset() const {
    // Wraps instead of overflowing: the numbers may be anybody's.
    return {int64_t(uint64_t(base_offset().value) + uint64_t(int64_t(last_offset_delta())))};
}
LeaderEpoch BatchView::leader_epoch() const { return load_at<int32_t>(bytes_, batch_at::leader_epoch); }
uint32_t BatchView::crc() const { return load_at<uint32_t>(bytes_, batch_at::crc); }
int16_t BatchView::attributes() const { return load_at<int16_t>(bytes_, batch_at::attributes); }
int32_t BatchView::last_offset_delta() const { return load_at<int32_t>(bytes_, batch_at::last_offset_delta); }
Timestamp BatchView::base_timestamp() const { return {load_at<int64_t>(bytes_, batch_at::base_timestamp)}; }
Timestamp BatchView::max_timestamp() const { return {load_at<int64_t>(bytes_, batch_at::max_timestamp)}; }
int64_t BatchView::producer_id() const { return load_at<int64_t>(bytes_, batch_at::producer_id); }
int16_t BatchView::producer_epoch() const { return load_at<int16_t>(bytes_, batch_at::producer_epoch); }
int32_t BatchView::base_sequence() const { return load_at<int32_t>(bytes_, batch_at::base_sequence); }
int32_t BatchView::record_count() const { return load_at<int32_t>(bytes_, batch_at::record_count); }

int32_t BatchView::last_sequence() const {
    auto base = base_sequence();
    if (base < 0) return -1;
    auto last = int64_t(base) + last_offset_delta();
    constexpr auto sequences = int64_t(std::numeric_limits<int32_t>::max()) + 1;
    return int32_t(last >= sequences ? last - sequences : last);
}

bool BatchView::crc_matches() const { return crc() == crc32c(bytes_.subspan(crc_covers_from)); }

void set_base_offset(MutableBytes batch, Offset offset) { store_at(batch, batch_at::base_offset, offset.value); }
void set_leader_epoch(MutableBytes batch, LeaderEpoch epoch) { store_at(batch, batch_at::leader_epoch, epoch); }

void update_crc(MutableBytes batch) { store_at(batch, batch_at::crc, crc32c(Bytes(batch).subspan(crc_covers_from))); }

void set_max_timestamp(MutableBytes batch, Timestamp time) {
    store_at(batch, batch_at::max_timestamp, time.ms);
    update_crc(batch);
}

void set_log_append_time(MutableBytes batch, Timestamp time) {
    constexpr int16_t log_append_time_bit = 0x08;
    store_at(batch, batch_at::attributes, int16_t(load_at<int16_t>(batch, batch_at::attributes) | log_append_time_bit));
    set_max_timestamp(batch, time);
}

Result<RecordReader> RecordReader::open(BatchView batch, size_t decompressed_max) {
    RecordReader reader;
    reader.batch_ = batch;
    reader.left_ = batch.record_count();
    if (reader.left_ < 0) return fail(Errc::invalid_record);
    if (batch.codec() == Codec::none || reader.left_ == 0) {
        reader.rest_ = batch.records();
    } else {
        CHECKED(decompress(batch.codec(), batch.records(), reader.plain_, decompressed_max));
        reader.rest_ = reader.plain_;  // A moved vector keeps its bytes in place.
    }
    return reader;
}

bool RecordReader::next(RecordView& record) {
    if (failed_) return false;
    if (left_ == 0) {
        failed_ = !rest_.empty();
        return false;
    }
    failed_ = true;
    auto* from = rest_.data();
    auto* end = from + rest_.size();
    int32_t length;
    from = read_varint(from, end, length);
    if (!from || length < 1 || length > end - from) return false;
    end = from + length;
    ++from;  // The attributes of a record: none is defined, and Kafka lets any pass.
    from = read_varlong(from, end, record.timestamp_delta);
    if (from) from = read_varint(from, end, record.offset_delta);
    if (!from || !take_nullable(from, end, record.key) || !take_nullable(from, end, record.value)) return false;
    from = read_varint(from, end, record.header_count);
    // A header is two bytes at least.
    if (!from || record.header_count < 0 || record.header_count > (end - from) / 2) return false;
    record.headers = Bytes(from, end);
    if (record.header_count == 0 && !record.headers.empty()) return false;
    rest_ = rest_.subspan(size_t(end - rest_.data()));
    --left_;
    failed_ = false;
    return true;
}

Timestamp RecordReader::timestamp_of(const RecordView& record) const {
    if (batch_.is_log_append_time()) return batch_.max_timestamp();
    return {int64_t(uint64_t(batch_.base_timestamp().ms) + uint64_t(record.timestamp_delta))};
}

Result<std::vector<HeaderView>> read_headers(const RecordView& record) {
    std::vector<HeaderView> headers;
    headers.reserve(size_t(record.header_count));
    auto* from = record.headers.data();
    auto* end = from + record.headers.size();
    for (int32_t i = 0; i < record.header_count; ++i) {
        std::optional<Bytes> key;
        HeaderView header;
        if (!take_nullable(from, end, key) || !key || !take_nullable(from, end, header.value)) return fail(Errc::invalid_record);
        header.key = as_text(*key);
        headers.push_back(header);
    }
    if (from != end) return fail(Errc::invalid_record);
    return headers;
}

BatchBuilder::BatchBuilder(const Options& options) : options_(options) {}

void BatchBuilder::add(Timestamp timestamp, std::optional<Bytes> key, std::optional<Bytes> value,
                       std::span<const HeaderView> headers) {
    if (count_ == 0) base_timestamp_ = max_timestamp_ = timestamp;
    max_timestamp_ = std::max(max_timestamp_, timestamp);
    auto timestamp_delta = timestamp.ms - base_timestamp_.ms;
    size_t size = 1 + varlong_size(timestamp_delta) + varint_size(count_) + nullable_size(key) + nullable_size(value) +
                  varint_size(int32_t(headers.size()));
    for (auto& header : headers) size += nullable_size(as_bytes(header.key)) + nullable_size(header.value);
    ASSERT(size <= size_t(std::numeric_limits<int32_t>::max()));

    put_varint(records_, int32_t(size));
    auto begin = records_.size();
    records_.push_back(std::byte{0});
    put_varlong(records_, timestamp_delta);
    put_varint(records_, count_);
    put_nullable(records_, key);
    put_nullable(records_, value);
    put_varint(records_, int32_t(headers.size()));
    for (auto& header : headers) {
        put_nullable(records_, as_bytes(header.key));
        put_nullable(records_, header.value);
    }
    ASSERT(records_.size() - begin == size);
    ++count_;
}

std::vector<std::byte> BatchBuilder::build() {
    ASSERT(count_ > 0);
    std::vector<std::byte> batch(batch_header_size);
    if (options_.codec == Codec::none) {
        batch.insert(batch.end(), records_.begin(), records_.end());
    } else {
        auto compressed = compress(options_.codec, records_, batch);
        ASSERT(compressed);
    }
    ASSERT(batch.size() <= size_t(std::numeric_limits<int32_t>::max()));
    int attributes = int(options_.codec) | (options_.log_append_time ? 0x08 : 0) | (options_.transactional ? 0x10 : 0) |
                     (options_.control ? 0x20 : 0);
    set_base_offset(batch, options_.base_offset);
    store_at(batch, batch_at::length, int32_t(batch.size() - length_covers_from));
    set_leader_epoch(batch, options_.leader_epoch);
    store_at(batch, batch_at::magic, magic);
    store_at(batch, batch_at::attributes, int16_t(attributes));
    store_at(batch, batch_at::last_offset_delta, count_ - 1);
    store_at(batch, batch_at::base_timestamp, base_timestamp_.ms);
    store_at(batch, batch_at::max_timestamp, max_timestamp_.ms);
    store_at(batch, batch_at::producer_id, options_.producer_id);
    store_at(batch, batch_at::producer_epoch, options_.producer_epoch);
    store_at(batch, batch_at::base_sequence, options_.base_sequence);
    store_at(batch, batch_at::record_count, count_);
    update_crc(batch);
    records_.clear();
    count_ = 0;
    base_timestamp_ = max_timestamp_ = no_timestamp;
    return batch;
}

}  // namespace rafka
