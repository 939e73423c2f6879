#pragma once

// The compression codecs of Kafka's record batches, as in attribute bits 0-2 (org.apache.kafka CompressionType).

#include <rafka/bytes.hpp>
#include <rafka/result.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace rafka {

enum class Codec : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

std::string_view to_text(Codec codec);                      // "none", "gzip", ...
std::optional<Codec> codec_of(std::string_view name);       // By the names of compression.type; "uncompressed" is none.

// Appends the compressed form of `in` to `out`, framed as Kafka frames it: gzip RFC 1952, snappy in xerial blocks,
// lz4 frame with independent 64 KiB blocks, zstd frame. `level` is the codec's own; nullopt is Kafka's default.
Result<> compress(Codec codec, Bytes in, std::vector<std::byte>& out, std::optional<int> level = {});

// Appends the plain form to `out`, never more than `size_max` bytes (Errc::too_large beyond it, and memory is taken only
// as output appears, whatever the input claims). Accepts raw snappy as well as xerial's framing. Errc::malformed for
// anything that does not decode to its end.
Result<> decompress(Codec codec, Bytes in, std::vector<std::byte>& out, size_t size_max);

}  // namespace rafka
