// Every codec on compressed blocks that are none. The input:
//
//   int8 codec, int8 bound of the plain form (as a power of two), int8 size of the pieces it is read in, block
//
// No more than the bound comes out and no more memory is taken than a codec's window and a little for each byte of the
// input, whatever it claims; the answer does not depend on the pieces; and what a codec makes of the input as plain bytes
// it gives back.

#include "fuzz/input.hpp"
#include "fuzz/memory.hpp"
#include "fuzz/target.hpp"

#include "base/assert.hpp"
#include "engine/codec_stream.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

using namespace rafka;

namespace {

constexpr size_t prefix_size = 3;
constexpr size_t bound_log_max = 20;
constexpr size_t memory_per_byte = 24;  // A block of snappy is decoded at once, and claims at most 22 bytes for one.

// What a decoder holds whatever the input is.
size_t memory_fixed(Codec codec) {
    switch (codec) {
        case Codec::lz4: return 9u << 20;     // Blocks of up to 4 MiB: one on its way in, one on its way out.
        case Codec::zstd: return 130u << 20;  // A window of up to 128 MiB.
        default: return 256u << 10;           // Tables.
    }
}

// The plain form of a block, or as much of it as there is room for.
struct Plain {
    std::optional<Errc> failure;
    std::vector<std::byte> bytes;
};

Plain in_pieces(Codec codec, Bytes block, size_t piece, size_t size_max) {
    Plain plain;
    plain.bytes.resize(size_max);
    size_t done = 0;
    {
        fuzz::PeakMemory memory;
        auto decoder = engine::decoder(codec, block);
        ASSERT(decoder);
        while (done < size_max) {
            auto room = std::min(piece, size_max - done);
            auto size = (*decoder)->read(MutableBytes(plain.bytes).subspan(done, room));
            if (!size) plain.failure = size.error();
            if (!size) break;
            ASSERT(*size <= room);
            done += *size;
            if (*size < room) break;
        }
        ASSERT(memory.peak() <= memory_per_byte * block.size() + memory_fixed(codec));
    }
    plain.bytes.resize(done);
    return plain;
}

void check_block(Codec codec, Bytes block, size_t piece, size_t size_max) {
    constexpr std::byte before{0xab};
    std::vector<std::byte> out(1, before);
    auto done = decompress(codec, block, out, size_max);
    ASSERT(out.front() == before && out.size() - 1 <= size_max);
    Bytes whole = Bytes(out).subspan(1);
    auto plain = in_pieces(codec, block, piece, size_max + 1);
    if (done) {
        ASSERT(!plain.failure && std::ranges::equal(plain.bytes, whole));
    } else if (done.error() == Errc::too_large) {
        ASSERT(!plain.failure && plain.bytes.size() == size_max + 1);
    } else {
        ASSERT(done.error() == Errc::malformed && plain.failure == Errc::malformed);
    }
}

void check_round(Codec codec, Bytes plain) {
    std::vector<std::byte> block, again;
    auto packed = compress(codec, plain, block);
    ASSERT(packed);
    auto unpacked = decompress(codec, block, again, plain.size());
    ASSERT(unpacked && std::ranges::equal(again, plain));
    if (plain.empty()) return;
    again.clear();
    auto cut = decompress(codec, block, again, plain.size() - 1);
    ASSERT(!cut && cut.error() == Errc::too_large);
}

Codec codec_at(uint8_t byte) { return Codec(1 + byte % 4); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fuzz::Input input(data, size);
    auto codec = codec_at(input.byte());
    auto size_max = size_t(1) << input.choice(bound_log_max + 1);
    // Large pieces where much may come out: a megabyte a byte at a time is no test but a wait.
    auto piece = 1 + input.byte() + size_max / 64;
    check_block(codec, input.rest(), piece, size_max);
    check_round(codec, input.rest());
    return 0;
}

namespace {

std::mt19937_64 random_bits;

size_t draw(size_t bound) { return size_t(random_bits() % bound); }

// Something that a codec has made, of bytes that pack well or badly; some of it twice in a row.
std::vector<std::byte> fresh_block(Codec codec) {
    std::vector<std::byte> plain(draw(2) ? draw(100) : draw(100'000));
    auto different = 1 + draw(draw(2) ? 2 : 256);
    size_t run = draw(2) ? 1 : 1 + draw(300);
    for (size_t i = 0; i < plain.size(); ++i) plain[i] = i % run == 0 ? std::byte(draw(different)) : plain[i - 1];
    std::vector<std::byte> block;
    for (size_t times = draw(4) ? 1 : 2; times > 0; --times) {
        auto packed = compress(codec, plain, block);
        ASSERT(packed);
    }
    return block;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max, unsigned seed) {
    random_bits.seed(seed);
    constexpr size_t fresh_one_in = 16;
    if (size > prefix_size && draw(fresh_one_in) != 0) {
        if (draw(8) == 0) return LLVMFuzzerMutate(data, size, size_max);
        return prefix_size + LLVMFuzzerMutate(data + prefix_size, size - prefix_size, size_max - prefix_size);
    }
    auto codec = uint8_t(draw(4));
    auto block = fresh_block(codec_at(codec));
    if (prefix_size + block.size() > size_max) return LLVMFuzzerMutate(data, size, size_max);
    data[0] = codec;
    data[1] = uint8_t(draw(bound_log_max + 1));
    data[2] = uint8_t(draw(256));
    std::memcpy(data + prefix_size, block.data(), block.size());
    return prefix_size + block.size();
}
