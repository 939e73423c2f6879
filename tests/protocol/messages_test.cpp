#include "protocol/every_message.hpp"

#include "protocol/api.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace rafka;
using namespace rafka::protocol;

TEST_CASE("every API has its request and its response here, under Kafka's name") {
    for (auto& api : apis) {
        for (auto [kind, suffix] : {std::pair(AnyMessage::Kind::request, "Request"), std::pair(AnyMessage::Kind::response, "Response")}) {
            auto name = std::string(api.name) + suffix;
            auto found = std::ranges::count_if(every_message(), [&](auto& message) {
                return message.kind == kind && message.name == name && message.schema.key == int16_t(api.key);
            });
            CHECK_MESSAGE(found == 1, name);
        }
    }
}

TEST_CASE("every message comes back from its bytes at every version") {
    uint64_t seed = 0;
    for (auto& message : every_message()) {
        for (int16_t version = message.schema.oldest; version <= message.schema.newest; ++version) {
            for (int i = 0; i < 20; ++i) {
                CAPTURE(message.name);
                CAPTURE(version);
                CAPTURE(++seed);
                auto bytes = message.sample(seed, version);
                auto again = message.rewrite(bytes, version);
                REQUIRE(again.has_value());
                CHECK(*again == bytes);
            }
        }
    }
}

TEST_CASE("a message cut short anywhere is malformed, and so is one with a byte too many") {
    uint64_t seed = 1000;
    for (auto& message : every_message()) {
        for (int16_t version = message.schema.oldest; version <= message.schema.newest; ++version) {
            CAPTURE(message.name);
            CAPTURE(version);
            CAPTURE(++seed);
            auto bytes = message.sample(seed, version);
            for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 200) {
                // A copy of exactly that size, so that a read beyond it is seen.
                std::vector<std::byte> cut(bytes.begin(), bytes.begin() + ptrdiff_t(size));
                CHECK(message.rewrite(cut, version) == fail(Errc::malformed));
            }
            bytes.push_back(std::byte{0});
            CHECK(message.rewrite(bytes, version) == fail(Errc::malformed));
        }
    }
}

TEST_CASE("random bytes and random damage are read or refused, never more") {
    std::mt19937_64 random(7);
    size_t accepted = 0;
    for (auto& message : every_message()) {
        for (int16_t version = message.schema.oldest; version <= message.schema.newest; ++version) {
            for (int i = 0; i < 30; ++i) {
                std::vector<std::byte> bytes;
                if (i % 2) {
                    bytes.resize(random() % 200);
                    for (auto& byte : bytes) byte = std::byte(random() >> (random() % 8 * 8));
                } else {
                    bytes = message.sample(random(), version);
                    for (int n = 0; n < 3 && !bytes.empty(); ++n) {
                        bytes[random() % bytes.size()] = std::byte(random() % 3 ? random() : 0xff);
                    }
                }
                auto again = message.rewrite(bytes, version);
                accepted += again.has_value();
                // What was accepted is stable: its own bytes give the same message.
                if (again) CHECK(message.rewrite(*again, version) == again);
            }
        }
    }
    CHECK(accepted > 100);
}
