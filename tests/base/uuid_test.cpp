#include <rafka/types.hpp>

#include <doctest/doctest.h>

using namespace rafka;

TEST_CASE("an id has Kafka's text") {
    CHECK(to_text(Uuid{}) == "AAAAAAAAAAAAAAAAAAAAAA");
    Uuid one;
    one.bytes[15] = std::byte{1};
    CHECK(to_text(one) == "AAAAAAAAAAAAAAAAAAAAAQ");  // Kafka's METADATA_TOPIC_ID.
    Uuid full;
    full.bytes.fill(std::byte{0xff});
    CHECK(to_text(full) == "_____________________w");
    CHECK(uuid_of("_____________________w") == full);
}

TEST_CASE("an id comes back from its text, and nothing else does") {
    uint64_t seed = 7;
    for (int i = 0; i < 1000; ++i) {
        Uuid id;
        for (auto& byte : id.bytes) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            byte = std::byte(seed >> 56);
        }
        CHECK(uuid_of(to_text(id)) == id);
    }
    for (auto text : {"", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAA+",
                      "AAAAAAAAAAAAAAAAAAAAAR"}) {
        CHECK_FALSE(uuid_of(text));
    }
}
