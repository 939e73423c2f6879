#pragma once

// In which versions of a message a field exists. A message says it with three words, since, until and between; no word
// means every version. nullable_since is for an optional field that an older version had without null.

#include <cstdint>

namespace rafka::wire {

struct Versions {
    int16_t from = 0;
    int16_t to = INT16_MAX;
    int16_t null_from = 0;  // Null is allowed from here on; of interest to optional fields only.

    constexpr bool contain(int16_t version) const { return from <= version && version <= to; }
    constexpr bool allow_null(int16_t version) const { return version >= null_from; }
    constexpr Versions nullable_since(int16_t version) const { return {from, to, version}; }
};

inline constexpr Versions every{};
constexpr Versions since(int16_t from) { return {from, INT16_MAX, 0}; }
constexpr Versions until(int16_t to) { return {0, to, 0}; }
constexpr Versions between(int16_t from, int16_t to) { return {from, to, 0}; }
constexpr Versions nullable_since(int16_t from) { return {0, INT16_MAX, from}; }

// What a whole message knows about its versions.
struct Schema {
    int16_t key = 0;  // API key, or type of a stored record.
    int16_t oldest = 0;
    int16_t newest = 0;
    int16_t flexible_from = 0;

    constexpr bool contains(int16_t version) const { return oldest <= version && version <= newest; }
    constexpr bool flexible(int16_t version) const { return version >= flexible_from; }
};

}  // namespace rafka::wire
