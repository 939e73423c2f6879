#pragma once

// The numbers a log is made of, each its own type where two could be swapped by mistake.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rafka {

// Position of a record in a partition. Kafka's "unknown" is -1.
struct Offset {
    int64_t value = 0;

    friend auto operator<=>(Offset, Offset) = default;
    friend constexpr Offset operator+(Offset a, int64_t n) { return {a.value + n}; }
    friend constexpr Offset operator-(Offset a, int64_t n) { return {a.value - n}; }
    friend constexpr int64_t operator-(Offset a, Offset b) { return a.value - b.value; }
    Offset& operator++() { ++value; return *this; }
};
inline constexpr Offset no_offset{-1};

// Wall-clock time of a record, in milliseconds since 1970. Kafka's "none" is -1.
struct Timestamp {
    int64_t ms = 0;

    friend auto operator<=>(Timestamp, Timestamp) = default;
};
inline constexpr Timestamp no_timestamp{-1};

// 128 bits as on the wire: big-endian. All zeros means "none" (Kafka's Uuid.ZERO_UUID).
struct Uuid {
    std::array<std::byte, 16> bytes{};

    friend auto operator<=>(const Uuid&, const Uuid&) = default;
    bool is_zero() const { return *this == Uuid{}; }
};

// Kafka's text of an id: 22 characters of unpadded base64url. In src/base/uuid.cpp.
std::string to_text(const Uuid& id);
std::optional<Uuid> uuid_of(std::string_view text);  // Nothing unless it is exactly that.

using LeaderEpoch = int32_t;  // -1: unknown.

// Identifies a partition for as long as it lives; the topic's name may be reused, its id is not.
struct PartitionKey {
    Uuid topic_id;
    int32_t partition = 0;

    friend auto operator<=>(const PartitionKey&, const PartitionKey&) = default;
};

// Kafka's FetchIsolation for consumers: what a reader may see.
enum class Isolation : uint8_t { read_uncommitted = 0, read_committed = 1 };

}  // namespace rafka

template <>
struct std::hash<rafka::Uuid> {
    size_t operator()(const rafka::Uuid& id) const noexcept {
        uint64_t high = 0, low = 0;
        for (size_t i = 0; i < 8; ++i) {
            high = high << 8 | uint64_t(id.bytes[i]);
            low = low << 8 | uint64_t(id.bytes[i + 8]);
        }
        return size_t(high * 0x9E3779B97F4A7C15u ^ low);
    }
};

template <>
struct std::hash<rafka::PartitionKey> {
    size_t operator()(const rafka::PartitionKey& key) const noexcept {
        return std::hash<rafka::Uuid>{}(key.topic_id) * 31 + size_t(uint32_t(key.partition));
    }
};
