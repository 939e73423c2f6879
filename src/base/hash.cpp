#include "base/hash.hpp"

#include <isa-l/crc.h>
#include <xxhash.h>

#include <algorithm>
#include <climits>

namespace rafka {

uint32_t crc32c(Bytes bytes, uint32_t crc) {
    crc = ~crc;
    // The library takes an int length, and a non-const pointer that it only reads.
    while (!bytes.empty()) {
        auto part = bytes.first(std::min(bytes.size(), size_t(INT_MAX)));
        auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(part.data()));
        crc = crc32_iscsi(data, int(part.size()), crc);
        bytes = bytes.subspan(part.size());
    }
    return ~crc;
}

uint64_t xxh3(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace rafka
