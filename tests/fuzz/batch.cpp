// The validator of produced batches, as Partition::append calls it. The input:
//
//   int8 compression.type (0-4; more is "producer"), int8 flags, int8 batch size bound, int8 producer, batch
//
// What it accepts must be what a consumer can read: one whole batch, every record in its place, the header's claims true;
// and it must be accepted again as it was stored.

#include "fuzz/input.hpp"
#include "fuzz/target.hpp"

#include "base/assert.hpp"
#include "engine/producers.hpp"
#include "engine/validation.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace rafka;
using namespace rafka::engine;

namespace {

constexpr size_t prefix_size = 4;
constexpr Timestamp now{1'700'000'000'000};
constexpr size_t size_max_step = 64;

struct Flags {
    static constexpr uint8_t log_append_time = 1, keys_required = 2, narrow_time = 4;
};

LogOptions options_of(fuzz::Input& input) {
    LogOptions options;
    if (auto codec = input.byte(); codec <= uint8_t(Codec::zstd)) options.compression = Codec(codec);
    auto flags = input.byte();
    options.log_append_time = flags & Flags::log_append_time;
    options.keys_required = flags & Flags::keys_required;
    if (flags & Flags::narrow_time) options.timestamp_before_max_ms = options.timestamp_after_max_ms = 1000;
    // Zero is none, so that the simplest input is not refused for its size.
    if (auto steps = input.byte(); steps > 0) options.max_message_bytes = uint32_t(steps * size_max_step);
    return options;
}

// What a consumer finds in a stored batch.
void check_stored(BatchView batch, const Accepted& accepted, const LogOptions& options) {
    ASSERT(batch.crc_matches());
    ASSERT(batch.record_count() == accepted.offset_count && batch.record_count() > 0);
    ASSERT(batch.last_offset() - batch.base_offset() == accepted.offset_count - 1);
    ASSERT(batch.max_timestamp() == accepted.max_timestamp);
    ASSERT(batch.size() <= options.max_message_bytes);
    if (options.compression) ASSERT(batch.codec() == *options.compression);
    auto reader = RecordReader::open(batch, plain_bytes_max);
    ASSERT(reader);
    auto largest = no_timestamp;
    RecordView record;
    int32_t count = 0;
    for (; reader->next(record); ++count) {
        ASSERT(record.offset_delta == count);
        if (options.keys_required) ASSERT(record.key);
        auto headers = read_headers(record);
        ASSERT(headers && headers->size() == size_t(record.header_count));
        largest = std::max(largest, reader->timestamp_of(record));
    }
    ASSERT(reader->ok() && count == batch.record_count());
    ASSERT(largest == accepted.max_timestamp);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fuzz::Input input(data, size);
    auto options = options_of(input);
    auto seen_before = input.byte();
    auto payload = input.rest();

    std::vector<RejectedRecord> rejected;
    auto accepted = validate(payload, Origin::client, options, now, &rejected);
    ASSERT(rejected.size() <= rejected_records_max);
    if (!accepted) {
        for (auto& record : rejected) ASSERT(record.index >= 0 && !record.message.empty());
        return 0;
    }
    ASSERT(rejected.empty());
    auto bytes = accepted->bytes(payload);
    std::vector<std::byte> stored(bytes.begin(), bytes.end());
    auto base = Offset{1} + seen_before;
    accepted->stamp(stored, base, 7);
    auto batch = BatchView::frame(stored);
    ASSERT(batch && batch->size() == stored.size());
    ASSERT(batch->base_offset() == base && batch->leader_epoch() == 7);
    check_stored(*batch, *accepted, options);

    Producers producers;
    auto known = producers.check(*batch, Origin::client);
    ASSERT(known && !*known);
    producers.note(*batch);
    if (batch->has_producer()) {
        auto again = producers.check(*batch, Origin::client);
        ASSERT(again && *again && (*again)->last_offset == batch->last_offset());
    }

    // As a client would send it that reads from here and writes there; only the broker's time is refused.
    set_base_offset(stored, Offset{0});
    auto copied = validate(stored, Origin::client, options, now);
    if (options.log_append_time) ASSERT(!copied && copied.error() == Errc::invalid_timestamp);
    else ASSERT(copied && copied->replacement.empty() && !copied->patch_time);
    return 0;
}

namespace {

std::mt19937_64 random_bits;

size_t draw(size_t bound) { return size_t(random_bits() % bound); }

std::vector<std::byte> fresh_batch() {
    BatchBuilder::Options options;
    options.codec = Codec(draw(5));
    if (draw(2)) {
        options.producer_id = int64_t(draw(100));
        options.producer_epoch = 1;
        options.base_sequence = draw(4) ? 5 : 2147483647;
        options.transactional = draw(2);
    }
    BatchBuilder builder(options);
    for (auto count = 1 + draw(4); count > 0; --count) {
        std::string text(draw(draw(8) ? 20 : 300), 'x');
        std::vector<HeaderView> headers(draw(3));
        for (auto& header : headers) {
            header.key = "h";
            if (draw(2)) header.value = as_bytes("value");
        }
        auto key = draw(3) ? std::optional<Bytes>(as_bytes("key")) : std::nullopt;
        auto value = draw(4) ? std::optional<Bytes>(as_bytes(text)) : std::nullopt;
        builder.add(Timestamp{now.ms + int64_t(draw(2000)) - 1000}, key, value, headers);
    }
    return builder.build();
}

// Makes the header say what is there, as a careful liar would.
void repair(std::span<std::byte> batch) {
    if (batch.size() < batch_header_size) return;
    store_be(batch.data() + batch_at::length, int32_t(batch.size() - batch_size_prefix));
    batch[batch_at::magic] = std::byte{2};
    if (draw(2)) store_be(batch.data() + batch_at::base_offset, int64_t(0));
    if (draw(2)) store_be(batch.data() + batch_at::last_offset_delta, load_be<uint32_t>(batch.data() + batch_at::record_count) - 1);
    update_crc(batch);
}

}  // namespace

// Half of the time the length and the checksum are made right behind the damage.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max, unsigned seed) {
    random_bits.seed(seed);
    constexpr size_t fresh_one_in = 16;
    if (size <= prefix_size || draw(fresh_one_in) == 0) {
        auto batch = fresh_batch();
        if (prefix_size + batch.size() > size_max) return LLVMFuzzerMutate(data, size, size_max);
        for (size_t i = 0; i < prefix_size; ++i) data[i] = draw(2) ? uint8_t(0xff) : uint8_t(draw(8));
        data[2] = 0;
        std::memcpy(data + prefix_size, batch.data(), batch.size());
        return prefix_size + batch.size();
    }
    // The options by themselves, the header by itself, or the records: each would drown in the others.
    size_t after = size;
    switch (draw(4)) {
        case 0: LLVMFuzzerMutate(data, prefix_size, prefix_size); break;
        case 1: after = LLVMFuzzerMutate(data, size, size_max); break;
        default:
            if (size <= prefix_size + batch_header_size) break;
            auto* records = data + prefix_size + batch_header_size;
            auto fixed = prefix_size + batch_header_size;
            after = fixed + LLVMFuzzerMutate(records, size - fixed, size_max - fixed);
    }
    if (after > prefix_size && draw(2)) repair({reinterpret_cast<std::byte*>(data) + prefix_size, after - prefix_size});
    return after;
}
