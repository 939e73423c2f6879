#pragma once

// What the benches write: batches of records of about 1 KiB whose bytes repeat nowhere.

#include <rafka/bytes.hpp>
#include <rafka/types.hpp>

#include <cstddef>
#include <vector>

namespace rafka::bench {

// At most `size` bytes with its header, and less than a small record below it.
std::vector<std::byte> batch_of(size_t size, Timestamp time = {1'700'000'000'000});

}  // namespace rafka::bench
