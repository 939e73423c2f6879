#include "base/endian.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/varint.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>

using namespace rafka;

TEST_CASE("CRC-32C gives the check value of its specification, and continues") {
    CHECK(crc32c(as_bytes("123456789")) == 0xE3069283u);
    CHECK(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))) == 0xE3069283u);
}

TEST_CASE("big-endian numbers keep their value") {
    std::array<std::byte, 8> bytes;
    store_be<int32_t>(bytes.data(), 0x01020304);
    CHECK(bytes[0] == std::byte{1});
    CHECK(load_be<int32_t>(bytes.data()) == 0x01020304);
    store_be<int64_t>(bytes.data(), -2);
    CHECK(load_be<int64_t>(bytes.data()) == -2);
}

TEST_CASE("zigzag numbers come back, and an unending or oversized one is refused") {
    std::array<std::byte, varlong_size_max> bytes;
    for (int64_t x : {int64_t(0), int64_t(-1), int64_t(1), std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
        auto* end = write_varlong(bytes.data(), x);
        CHECK(size_t(end - bytes.data()) == varlong_size(x));
        int64_t back = 7;
        CHECK(read_varlong(bytes.data(), end, back) == end);
        CHECK(back == x);
        CHECK(read_varlong(bytes.data(), end - 1, back) == nullptr);
    }
    bytes.fill(std::byte{0xff});
    uint32_t small;
    uint64_t large;
    CHECK(read_unsigned_varint(bytes.data(), bytes.data() + bytes.size(), small) == nullptr);
    CHECK(read_unsigned_varlong(bytes.data(), bytes.data() + bytes.size(), large) == nullptr);
}

TEST_CASE("a limiter lets a few lines through and says how many it held back") {
    using namespace std::chrono_literals;
    log::Limiter limiter(2, 10s);
    uint64_t suppressed = 9;
    CHECK(limiter.allow(0s, suppressed));
    CHECK(suppressed == 0);
    CHECK(limiter.allow(1s, suppressed));
    CHECK_FALSE(limiter.allow(2s, suppressed));
    CHECK_FALSE(limiter.allow(3s, suppressed));
    CHECK(limiter.allow(10s, suppressed));
    CHECK(suppressed == 2);
}
