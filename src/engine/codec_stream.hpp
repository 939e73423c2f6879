#pragma once

// Compression a piece at a time: what compress() and decompress() are made of, for those who must not hold the plain form
// of a batch in memory. In codec.cpp.

#include <rafka/codec.hpp>

#include <memory>

namespace rafka::engine {

// Reads the plain form of a compressed block. Memory is bounded by the codec's window, not by what the input claims.
class Decoder {
public:
    virtual ~Decoder() = default;
    // Fills `out` from its beginning and returns how much; less than its size only at the end. malformed: the input does
    // not decode to its end.
    virtual Result<size_t> read(MutableBytes out) = 0;
};
// `in` outlives it. unsupported_codec: no such codec, or Codec::none.
Result<std::unique_ptr<Decoder>> decoder(Codec codec, Bytes in);

// Appends the compressed form of what is given to it to a vector.
class Encoder {
public:
    virtual ~Encoder() = default;
    virtual Result<> write(Bytes in) = 0;
    virtual Result<> finish() = 0;
};
// `out` outlives it.
Result<std::unique_ptr<Encoder>> encoder(Codec codec, std::vector<std::byte>& out, std::optional<int> level = {});

}  // namespace rafka::engine
