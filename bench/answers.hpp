#pragma once

// Good answers that lie ready, for servers that are no broker. The correlation id at answer_correlation_at is to be set.

#include "wire/frame.hpp"

#include <cstddef>
#include <vector>

namespace rafka::bench {

inline constexpr size_t answer_correlation_at = wire::frame_prefix_size;

std::vector<std::byte> produce_answer();
std::vector<std::byte> fetch_answer();  // With 1 MiB of batches.

}  // namespace rafka::bench
