#pragma once

// Big-endian integers in byte arrays: Kafka's order on the wire and on disk.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace rafka {

template <std::integral T>
constexpr T byteswap(T x) {
    if constexpr (sizeof(T) == 1) return x;
    else if constexpr (sizeof(T) == 2) return T(__builtin_bswap16(std::make_unsigned_t<T>(x)));
    else if constexpr (sizeof(T) == 4) return T(__builtin_bswap32(std::make_unsigned_t<T>(x)));
    else return T(__builtin_bswap64(std::make_unsigned_t<T>(x)));
}

// Requires sizeof(T) readable bytes at `from`; no alignment.
template <std::integral T>
T load_be(const void* from) {
    T x;
    std::memcpy(&x, from, sizeof x);
    return std::endian::native == std::endian::little ? byteswap(x) : x;
}

// Requires sizeof(T) writable bytes at `to`; no alignment.
template <std::integral T>
void store_be(void* to, T x) {
    if constexpr (std::endian::native == std::endian::little) x = byteswap(x);
    std::memcpy(to, &x, sizeof x);
}

}  // namespace rafka
