#pragma once

// Protobuf's variable-length integers as Kafka uses them (ByteUtils): unsigned in the protocol's flexible versions,
// zigzag in records.

#include <cstddef>
#include <cstdint>

namespace rafka {

inline constexpr size_t varint_size_max = 5;
inline constexpr size_t varlong_size_max = 10;

// Reads at most `end - from` bytes. Returns the byte after the number, or nullptr if it does not end in time or does
// not fit (more than 32 or 64 bits).
inline const std::byte* read_unsigned_varint(const std::byte* from, const std::byte* end, uint32_t& out) {
    uint32_t x = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        if (from == end) return nullptr;
        auto byte = uint32_t(*from++);
        if (shift == 28 && byte > 0x0f) return nullptr;
        x |= (byte & 0x7f) << shift;
        if (!(byte & 0x80)) { out = x; return from; }
    }
    return nullptr;
}

inline const std::byte* read_unsigned_varlong(const std::byte* from, const std::byte* end, uint64_t& out) {
    uint64_t x = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (from == end) return nullptr;
        auto byte = uint64_t(*from++);
        if (shift == 63 && byte > 0x01) return nullptr;
        x |= (byte & 0x7f) << shift;
        if (!(byte & 0x80)) { out = x; return from; }
    }
    return nullptr;
}

constexpr uint32_t zigzag(int32_t x) { return uint32_t(x) << 1 ^ uint32_t(x >> 31); }
constexpr uint64_t zigzag(int64_t x) { return uint64_t(x) << 1 ^ uint64_t(x >> 63); }
constexpr int32_t unzigzag(uint32_t x) { return int32_t(x >> 1) ^ -int32_t(x & 1); }
constexpr int64_t unzigzag(uint64_t x) { return int64_t(x >> 1) ^ -int64_t(x & 1); }

inline const std::byte* read_varint(const std::byte* from, const std::byte* end, int32_t& out) {
    uint32_t x;
    from = read_unsigned_varint(from, end, x);
    if (from) out = unzigzag(x);
    return from;
}

inline const std::byte* read_varlong(const std::byte* from, const std::byte* end, int64_t& out) {
    uint64_t x;
    from = read_unsigned_varlong(from, end, x);
    if (from) out = unzigzag(x);
    return from;
}

// Writes without bounds: the caller has room for the maximum size. Returns the byte after the number.
inline std::byte* write_unsigned_varlong(std::byte* to, uint64_t x) {
    for (; x >= 0x80; x >>= 7) *to++ = std::byte(x | 0x80);
    *to++ = std::byte(x);
    return to;
}
inline std::byte* write_unsigned_varint(std::byte* to, uint32_t x) { return write_unsigned_varlong(to, x); }
inline std::byte* write_varint(std::byte* to, int32_t x) { return write_unsigned_varlong(to, zigzag(x)); }
inline std::byte* write_varlong(std::byte* to, int64_t x) { return write_unsigned_varlong(to, zigzag(x)); }

constexpr size_t unsigned_varint_size(uint64_t x) {
    size_t n = 1;
    for (; x >= 0x80; x >>= 7) ++n;
    return n;
}
constexpr size_t varint_size(int32_t x) { return unsigned_varint_size(zigzag(x)); }
constexpr size_t varlong_size(int64_t x) { return unsigned_varint_size(zigzag(x)); }

}  // namespace rafka
