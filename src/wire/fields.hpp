#pragma once

// What a message is made of. A message is an aggregate with `static void fields(auto& self, auto& f)`, which shows each
// field to a visitor in the order of the wire: f(self.name, since(2)) for a plain one, f.tagged(0, self.epoch, since(3))
// for a tagged one, tags ascending. Field types and their encoding:
//
//   int8_t .. int64_t, uint16_t, bool, double, enums     big-endian
//   Offset, Timestamp, Uuid                              their bytes
//   std::string_view, Bytes, Pieces, Array<T>            a length, then the content
//   a struct with fields of its own                      its fields
//   std::optional of one of the last two rows            nullable
//
// Everything is a view: strings and bytes of the received frame, arrays of an Arena. So a message is trivially copied
// and freed by resetting the arena; what outlives the request is copied where it is stored.

#include "wire/versions.hpp"

#include <rafka/bytes.hpp>
#include <rafka/types.hpp>

#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace rafka::wire {

template <class T>
using Array = std::span<const T>;

// Bytes that lie in several places, such as the batches of a fetch: sent from where they are, never copied. The caller
// keeps them alive until they are sent.
struct Pieces {
    std::span<const Bytes> list;

    size_t size() const {
        size_t sum = 0;
        for (auto piece : list) sum += piece.size();
        return sum;
    }
};

struct AnyVisitor;
template <class T>
concept Part = requires(T& part, AnyVisitor& visitor) { T::fields(part, visitor); };

template <class T>
inline constexpr bool is_array = false;
template <class T>
inline constexpr bool is_array<Array<T>> = !std::is_same_v<T, std::byte>;

// Fields that begin with a length, whose "-1" is null.
template <class T>
inline constexpr bool is_counted = std::is_same_v<T, std::string_view> || std::is_same_v<T, Bytes> ||
                                   std::is_same_v<T, Pieces> || is_array<T>;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

inline constexpr size_t string_bytes_max = 0x7fff;

}  // namespace rafka::wire
