#pragma once

#include <rafka/bytes.hpp>

#include <cstdint>

namespace rafka {

// CRC-32C (Castagnoli), as in batches and producer snapshots. `crc` continues an earlier result.
uint32_t crc32c(Bytes bytes, uint32_t crc = 0);

// XXH3, for maps and our own files.
uint64_t xxh3(Bytes bytes);

}  // namespace rafka
