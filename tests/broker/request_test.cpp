// Which requests are taken at all.

#include "broker/request.hpp"
#include "protocol/api.hpp"
#include "sim/machine.hpp"
#include "sim/world.hpp"

#include <doctest/doctest.h>

#include <cstring>

using namespace rafka;
using namespace rafka::broker;

namespace {

struct Taken {
    Result<> result;
    wire::RequestHeader header;
    size_t body_size = 0;
    std::string client_id;
};

// A frame's bytes without the length, as a client would send them.
Taken take(Bytes bytes) {
    sim::Machine machine(1);
    sim::World world(machine, 1);
    FrameMemory memory(world.loop(), 1 << 20);
    Request request;
    REQUIRE(memory.try_grow(request.frame, 0, bytes.size()));
    std::memcpy(request.frame.data(), bytes.data(), bytes.size());
    request.frame.size = bytes.size();
    Taken taken{begin(request), request.header, request.body.size(), std::string(request.client_id())};
    taken.header.client_id.reset();
    request.reset();
    return taken;
}

Taken take(int16_t key, int16_t version, std::string_view body = "") {
    wire::Payload payload;
    wire::write_request_header(payload, {key, version, 77, "me"}, protocol::flexible_request(key, version));
    payload.append(as_bytes(body));
    return take(payload.bytes());
}

}  // namespace

TEST_CASE("every version that is served is taken, the ones beside are not") {
    for (auto& api : protocol::apis) {
        auto key = int16_t(api.key);
        INFO(api.name);
        if (!api.is_served()) {
            CHECK(take(key, api.newest).result.error() == Errc::unsupported);
            continue;
        }
        for (int16_t version = api.oldest; version <= api.served_newest; ++version) {
            auto taken = take(key, version, "body");
            CHECK(taken.result.has_value());
            CHECK(taken.header.correlation_id == 77);
            CHECK(taken.client_id == "me");
            CHECK(taken.body_size == 4);
        }
        if (api.key == protocol::ApiKey::api_versions) continue;
        CHECK(take(key, int16_t(api.served_newest + 1)).result.error() == Errc::unsupported);
        CHECK(take(key, int16_t(api.oldest - 1)).result.error() == Errc::unsupported);
        CHECK(take(key, -1).result.error() == Errc::unsupported);
        CHECK(take(key, INT16_MAX).result.error() == Errc::unsupported);
    }
}

TEST_CASE("an API that we do not have is not taken") {
    for (int16_t key : {int16_t(-1), int16_t(4), int16_t(58), int16_t(1000), int16_t(INT16_MAX), int16_t(INT16_MIN)}) {
        CHECK(take(key, 0).result.error() == Errc::unsupported);
    }
}

TEST_CASE("ApiVersions is taken at any version, so that it can be answered") {
    for (int16_t version : {int16_t(0), int16_t(5), int16_t(99), int16_t(INT16_MAX)}) CHECK(take(18, version).result.has_value());
}

TEST_CASE("a header that ends too soon or lies about its length is malformed") {
    wire::Payload payload;
    wire::write_request_header(payload, {3, 12, 1, "client"}, true);
    for (size_t size = 0; size < payload.size(); ++size) {
        INFO(size);
        if (size > 0) CHECK(take(payload.bytes().first(size)).result.error() == Errc::malformed);
    }
    auto lying = payload.copy();
    lying[8] = std::byte{0x7f};
    CHECK(take(lying).result.error() == Errc::malformed);
    lying[8] = std::byte{0xff};  // -250
    CHECK(take(lying).result.error() == Errc::malformed);
}
