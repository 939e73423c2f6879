#include "batches.hpp"

#include <rafka/record_batch.hpp>

#include <algorithm>
#include <cstdint>

namespace rafka::bench {

std::vector<std::byte> batch_of(size_t size, Timestamp time) {
    constexpr size_t value_max = 1000, around_value = 12;  // Lengths and deltas of a record.
    BatchBuilder builder;
    uint64_t x = 88172645463325252u;
    while (builder.size_estimate() + 2 * around_value < size) {
        std::vector<std::byte> value(std::min(value_max, size - builder.size_estimate() - around_value));
        for (auto& byte : value) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            byte = std::byte(x);
        }
        builder.add(time, {}, Bytes(value));
    }
    return builder.build();
}

}  // namespace rafka::bench
