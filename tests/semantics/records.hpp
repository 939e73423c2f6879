#pragma once

// Batches for scripts, good and bad, and fetched batches as text.

#include "base/endian.hpp"
#include "semantics/mask.hpp"

#include <rafka/record_batch.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::semantics {

// A time in November 2023: scripts do not depend on the day they run.
inline constexpr int64_t then = 1'700'000'000'000;

struct TestRecord {
    std::optional<std::string_view> value = "v";
    std::optional<std::string_view> key = std::nullopt;
    int64_t time = then;
};

inline BatchBuilder::Options with(Codec codec) {
    BatchBuilder::Options options;
    options.codec = codec;
    return options;
}
inline BatchBuilder::Options produced_by(int64_t id, int16_t epoch, int32_t sequence) {
    BatchBuilder::Options options;
    options.producer_id = id;
    options.producer_epoch = epoch;
    options.base_sequence = sequence;
    return options;
}

std::vector<std::byte> make_batch(std::initializer_list<TestRecord> records, const BatchBuilder::Options& options = {});
// `count` records of that size, all alike.
std::vector<std::byte> make_batch_of(int32_t count, size_t value_size, const BatchBuilder::Options& options = {});

// A batch with one field of its header overwritten, and a CRC that matches again.
template <class T>
std::vector<std::byte> patched(Bytes batch, size_t at, T value) {
    std::vector<std::byte> copy(batch.begin(), batch.end());
    store_be(copy.data() + at, value);
    if (at >= batch_at::attributes) update_crc(copy);
    return copy;
}

// Appends a line for each whole batch.
void describe_batches(Mask& mask, Bytes records, int32_t partition, std::string& to);

}  // namespace rafka::semantics
