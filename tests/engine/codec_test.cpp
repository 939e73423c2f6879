#include "engine/codec_stream.hpp"
#include "engine/golden.hpp"

#include <rafka/record_batch.hpp>

#include <doctest/doctest.h>
#include <snappy.h>
#include <zstd.h>

#include <random>

using namespace rafka;

namespace {

constexpr Codec codecs[] = {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

std::vector<std::byte> noise(std::mt19937_64& random, size_t size) {
    std::vector<std::byte> out(size);
    auto letters = 1 + random() % 256;
    for (auto& byte : out) byte = std::byte(random() % letters);
    return out;
}

std::vector<std::byte> packed(Codec codec, Bytes plain, std::optional<int> level = {}) {
    std::vector<std::byte> out;
    REQUIRE(compress(codec, plain, out, level));
    return out;
}

}  // namespace

TEST_CASE("codecs have Kafka's names and numbers") {
    for (auto [name, codec] : {std::pair("none", Codec::none), {"gzip", Codec::gzip}, {"snappy", Codec::snappy}, {"lz4", Codec::lz4},
                               {"zstd", Codec::zstd}}) {
        CHECK(to_text(codec) == name);
        CHECK(codec_of(name) == codec);
    }
    CHECK(codec_of("uncompressed") == Codec::none);
    CHECK_FALSE(codec_of("producer"));
    CHECK_FALSE(codec_of("GZIP"));
}

TEST_CASE("bytes come back from every codec, whatever their size") {
    std::mt19937_64 random(3);
    for (auto codec : codecs) {
        CAPTURE(to_text(codec));
        for (size_t size : {0, 1, 100, 32767, 32768, 32769, 65535, 65536, 65537, 200000, 1000000}) {
            CAPTURE(size);
            auto plain = noise(random, size);
            std::vector<std::byte> out{std::byte{42}};  // What stands before stays.
            auto in = packed(codec, plain);
            REQUIRE(decompress(codec, in, out, size));
            REQUIRE(out.size() == size + 1);
            CHECK(out[0] == std::byte{42});
            CHECK(std::equal(plain.begin(), plain.end(), out.begin() + 1));
            out.clear();
            if (size > 0) CHECK(decompress(codec, in, out, size - 1).error() == Errc::too_large);
            CHECK(out.size() <= size);
        }
    }
}

TEST_CASE("levels are taken, and all of them can be read") {
    std::mt19937_64 random(4);
    auto plain = noise(random, 100000);
    for (auto [codec, from, to] : {std::tuple(Codec::gzip, -1, 9), {Codec::lz4, 1, 17}, {Codec::zstd, -7, 22}, {Codec::snappy, 1, 1}}) {
        for (int level = from; level <= to; level += 4) {
            std::vector<std::byte> out;
            CHECK(decompress(codec, packed(codec, plain, level), out, plain.size()));
            CHECK(out == plain);
        }
    }
}

TEST_CASE("the frames are Kafka's") {
    auto begins_as = [](std::string_view name, Bytes ours, size_t size) {
        auto kafkas = golden::bytes("batches.txt", name);
        return std::equal(ours.begin(), ours.begin() + long(size), kafkas.begin() + batch_header_size);
    };
    std::vector<std::byte> plain(200000);
    CHECK(begins_as("mixed-snappy", packed(Codec::snappy, plain), 16));
    CHECK(begins_as("mixed-lz4", packed(Codec::lz4, plain), 7));  // Magic, flags, block size, checksum of these.
    CHECK(begins_as("mixed-zstd", packed(Codec::zstd, plain), 4));
    CHECK(begins_as("mixed-gzip", packed(Codec::gzip, plain), 3));
}

TEST_CASE("raw snappy, several gzip members and several zstd frames are read") {
    std::string plain(100000, 'x'), raw;
    snappy::Compress(plain.data(), plain.size(), &raw);
    std::vector<std::byte> out;
    REQUIRE(decompress(Codec::snappy, as_bytes(raw), out, plain.size()));
    CHECK(as_text(out) == plain);
    for (auto codec : {Codec::gzip, Codec::zstd, Codec::snappy}) {
        auto twice = packed(codec, as_bytes("abc"));
        auto second = packed(codec, as_bytes("def"));
        twice.insert(twice.end(), second.begin(), second.end());
        out.clear();
        REQUIRE(decompress(codec, twice, out, 6));
        CHECK(as_text(out) == "abcdef");
    }
}

TEST_CASE("input that is cut or has a tail is malformed") {
    std::mt19937_64 random(5);
    auto plain = noise(random, 3000);
    for (auto codec : codecs) {
        CAPTURE(to_text(codec));
        auto in = packed(codec, plain);
        std::vector<std::byte> out;
        for (size_t size = 0; size < in.size(); size += 1 + size / 16) {
            if (codec == Codec::snappy && size == 16) continue;  // The header alone is a frame of nothing.
            CAPTURE(size);
            out.clear();
            CHECK(decompress(codec, Bytes(in).first(size), out, plain.size()).error() == Errc::malformed);
        }
        in.push_back(std::byte{1});
        out.clear();
        CHECK(decompress(codec, in, out, plain.size() * 2).error() == Errc::malformed);
    }
    std::vector<std::byte> out;
    CHECK(decompress(Codec(5), plain, out, 10).error() == Errc::unsupported_codec);
    CHECK(decompress(Codec(7), plain, out, 10).error() == Errc::unsupported_codec);
}

TEST_CASE("damage and noise never do more than fail") {
    std::mt19937_64 random(6);
    for (auto codec : codecs) {
        auto whole = packed(codec, noise(random, 2000));
        for (int round = 0; round < 500; ++round) {
            auto in = whole;
            if (round % 5 == 0) in = noise(random, random() % 200);
            else in[random() % in.size()] = std::byte(random());
            std::vector<std::byte> out;
            (void)decompress(codec, in, out, 100000);
            CHECK(out.size() <= 100000);
        }
    }
}

TEST_CASE("a bomb takes no more memory than the bound") {
    std::vector<std::byte> zeros(64u << 20);
    for (auto codec : codecs) {
        auto bomb = packed(codec, zeros);
        std::vector<std::byte> out;
        CHECK(decompress(codec, bomb, out, 1u << 20).error() == Errc::too_large);
        CHECK(out.capacity() <= 4u << 20);
    }
    // What merely claims much: raw snappy of "2 GiB", a snappy block of it, a zstd frame with that content size.
    std::vector<std::byte> out;
    CHECK(decompress(Codec::snappy, as_bytes("\xff\xff\xff\xff\x07" "abc"), out, 1u << 30).error() == Errc::malformed);
    std::string block("\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0\0\x08\xff\xff\xff\xff\x07" "abc", 28);
    CHECK(decompress(Codec::snappy, as_bytes(block), out, 1u << 30).error() == Errc::malformed);
    std::string frame("\x28\xb5\x2f\xfd\xa0\xff\xff\xff\x7f\x01\x00\x00", 12);
    CHECK(decompress(Codec::zstd, as_bytes(frame), out, 1u << 30).error() == Errc::malformed);
    CHECK(out.capacity() <= 4u << 20);
}

TEST_CASE("a decoder fills what it is given, in any pieces") {
    std::mt19937_64 random(7);
    auto plain = noise(random, 150000);
    for (auto codec : codecs) {
        std::vector<std::byte> in;
        auto to = engine::encoder(codec, in).value();
        for (size_t at = 0; at < plain.size();) {
            auto size = std::min(plain.size() - at, 1 + random() % 40000);
            REQUIRE(to->write(Bytes(plain).subspan(at, size)));
            at += size;
        }
        REQUIRE(to->finish());
        auto from = engine::decoder(codec, in).value();
        std::vector<std::byte> out;
        while (true) {
            std::vector<std::byte> piece(1 + random() % 40000);
            auto size = from->read(piece);
            REQUIRE(size);
            out.insert(out.end(), piece.begin(), piece.begin() + long(*size));
            if (*size < piece.size()) break;
        }
        CHECK(out == plain);
    }
}
