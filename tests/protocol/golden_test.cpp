// Frames that librdkafka 2.0, Java's admin client and a Kafka 4.3.1 broker sent each other, and records of that broker's
// metadata log: "KIND KEY VERSION HEX" a line.

#include "protocol/api.hpp"
#include "protocol/errors.hpp"
#include "protocol/every_message.hpp"
#include "wire/frame.hpp"
#include "wire/payload.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>

using namespace rafka;
using namespace rafka::protocol;

namespace {

std::vector<std::byte> from_hex(std::string_view text) {
    auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::vector<std::byte> bytes;
    for (size_t i = 0; i + 1 < text.size(); i += 2) bytes.push_back(std::byte(digit(text[i]) << 4 | digit(text[i + 1])));
    return bytes;
}

const AnyMessage* find(std::string_view kind, int16_t key) {
    for (auto& message : every_message()) {
        if (to_text(message.kind) == kind && message.schema.key == key) return &message;
    }
    return nullptr;
}

}  // namespace

TEST_CASE("what real peers sent is read whole and written as they wrote it") {
    std::ifstream file(GOLDEN_WIRE "/frames.txt");
    REQUIRE(file.is_open());
    std::set<std::string> kinds;
    size_t lines = 0;
    std::string kind, text;
    for (int16_t key, version; file >> kind >> key >> version >> text; ++lines) {
        CAPTURE(kind);
        CAPTURE(key);
        CAPTURE(version);
        kinds.insert(kind);
        auto frame = from_hex(text);
        Bytes rest = frame;
        wire::Payload out;
        if (kind == "request") {
            auto header = wire::read_request_header(rest, flexible_request);
            REQUIRE(header.has_value());
            CHECK(header->api_key == key);
            CHECK(header->api_version == version);
            wire::write_request_header(out, *header, flexible_request(key, version));
        } else if (kind == "response") {
            auto correlation_id = wire::read_response_header(rest, flexible_response_header(key, version));
            REQUIRE(correlation_id.has_value());
            wire::write_response_header(out, *correlation_id, flexible_response_header(key, version));
        }
        auto* message = find(kind, key);
        REQUIRE(message);
        auto body = message->rewrite(rest, version);
        REQUIRE(body.has_value());
        out.append(*body);
        CHECK(std::ranges::equal(out.bytes(), frame));
        CHECK(message->describe(rest, version)->size() > 1);
    }
    CHECK(lines >= 50);
    CHECK(kinds == std::set<std::string>{"request", "response", "record", "control"});
}

TEST_CASE("the printer shows what a client asked") {
    auto bytes = from_hex("00000001" "0006676f6c64656e" "01");
    CHECK(find("request", 3)->describe(bytes, 4) == R"({[{"golden"}], true})");
}

TEST_CASE("errors have Kafka's names and numbers") {
    CHECK(name(ErrorCode::none) == "NONE");
    CHECK(name(ErrorCode::invalid_topic_exception) == "INVALID_TOPIC_EXCEPTION");
    CHECK(name(ErrorCode(-1)) == "UNKNOWN_SERVER_ERROR");
    CHECK(name(ErrorCode(133)) == "SHARE_SESSION_LIMIT_REACHED");
    CHECK(name(ErrorCode(999)) == "UNKNOWN_CODE");
    CHECK(to_kafka(Errc::corrupt_batch) == ErrorCode(2));
    CHECK(to_kafka(Errc::disk_full) == ErrorCode(56));
}

TEST_CASE("versions are served as the table says") {
    CHECK(find_api(0)->serves(3));
    CHECK_FALSE(find_api(0)->serves(2));
    CHECK(find_api(0)->advertised_oldest == 0);
    CHECK_FALSE(find_api(1)->serves(18));
    CHECK_FALSE(find_api(18)->serves(5));
    CHECK(find_api(4) == nullptr);
    CHECK(flexible_request(18, 3));
    CHECK_FALSE(flexible_response_header(18, 3));
    CHECK(flexible_response_header(3, 9));
    CHECK_FALSE(flexible_request(3, 8));
}
