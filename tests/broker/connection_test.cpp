// Connections, and clients that are not what they should be.

#include "harness.hpp"

#include "protocol/messages/api_versions.hpp"
#include "protocol/messages/metadata.hpp"

using namespace rafka;
using namespace rafka::test;
using namespace rafka::protocol;

namespace {

template <class... Values>
std::vector<std::byte> bytes_of(Values... values) {
    std::vector<std::byte> bytes;
    (bytes.push_back(std::byte(values)), ...);
    return bytes;
}

// A whole frame: header of that API and version, then any body.
template <class... Values>
std::vector<std::byte> frame(int16_t key, int16_t version, Values... body) {
    wire::Payload payload;
    wire::begin_frame(payload);
    wire::write_request_header(payload, {key, version, 1, "x"}, flexible_request(key, version));
    payload.append(bytes_of(body...));
    wire::end_frame(payload);
    return payload.copy();
}

Task<> expect_hang_up(Loop& loop, Broker& broker, std::vector<std::byte> bytes) {
    Client client(loop);
    co_await client.connect(broker);
    co_await client.send_bytes(bytes);
    bool hung_up = co_await client.is_hung_up();
    CHECK(hung_up);
    co_await client.close();
}

std::vector<std::vector<std::byte>> all_attacks() {
    return {
        bytes_of(0, 0, 0, 0),                                   // No request at all.
        bytes_of(0, 0, 0, 7, 0, 3, 0, 1, 0, 0, 0),              // Less than a header.
        bytes_of(0xff, 0xff, 0xff, 0xff),                       // Negative.
        bytes_of(0x7f, 0xff, 0xff, 0xff),                       // 2^31 - 1.
        bytes_of(0x06, 0x40, 0x00, 0x01),                       // One more than allowed.
        bytes_of('G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P', '/', '1', '.', '1', 13, 10, 13, 10),
        bytes_of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01),           // TLS.
        frame(99, 0),                                         // No such API.
        frame(0, 2, 0, 0),                                      // Listed, but refused.
        frame(1, 18),                                         // Not for clients.
        frame(3, 1, 0x7f, 0xff, 0xff, 0xff),                    // An array of 2^31 - 1 topics,
        frame(3, 9, 0xff, 0xff, 0xff, 0xff, 0x0f),              // also in the flexible form,
        frame(3, 9, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),        // or with a length that is too long,
        frame(3, 9, 0x02, 0x05, 'a'),                           // or a name that ends too soon.
        frame(3, 1, 0, 0, 0, 1, 0xff, 0xff),                    // A null where none may be.
        frame(3, 9, 0x01, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f),  // A flood of tags.
        frame(18, 3, 0x7f),
        frame(0, 9, 0x01),
        frame(1, 12, 0xff),
    };
}

Task<> hostile(Loop& loop, Broker& broker) {
    Client innocent(loop);
    co_await innocent.connect(broker);
    auto attacks = all_attacks();
    for (size_t i = 0; i < attacks.size(); ++i) {
        INFO("attack ", i);
        co_await expect_hang_up(loop, broker, attacks[i]);
        auto still = co_await innocent.call<MetadataResponse>(MetadataRequest{}, 12);
        CHECK(innocent.ok);
        CHECK(still.brokers.size() == 1);
    }
    co_await innocent.close();
}

// What came before a broken request is answered.
Task<> behind(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    co_await client.send(MetadataRequest{}, 12);
    co_await client.send(MetadataRequest{}, 12);
    co_await client.send_bytes(frame(99, 0));
    for (int i = 0; i < 2; ++i) {
        co_await client.receive<MetadataResponse>(12);
        CHECK(client.ok);
    }
    bool hung_up = co_await client.is_hung_up();
    CHECK(hung_up);
    co_await client.close();
}

Task<> order(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    auto topic = co_await create_topic(client, "slow", 1);
    // The first waits, the others are ready at once; Client::receive() checks the order.
    co_await client.send(fetch_request(client, "", topic.topic_id, 0, 0, 50), 17);
    for (int i = 0; i < 200; ++i) co_await client.send(ApiVersionsRequest{}, 0);
    auto fetched = co_await client.receive<FetchResponse>(17);
    CHECK(only(fetched).error_code == ErrorCode::none);
    for (int i = 0; i < 200; ++i) {
        auto answer = co_await client.receive<ApiVersionsResponse>(0);
        CHECK(answer.error_code == ErrorCode::none);
    }
    co_await client.close();
}

Task<> send_many(Client& client, int count) {
    for (int i = 0; i < count; ++i) co_await client.send(ApiVersionsRequest{}, 0);
}

// Requests without end and nobody who reads the answers: the broker stops reading, and nobody else notices.
Task<> flood(Loop& loop, Broker& broker) {
    Client flooding(loop), innocent(loop);
    co_await flooding.connect(broker);
    co_await innocent.connect(broker);
    constexpr int count = 20'000;
    Scope scope(loop);
    scope.start(send_many(flooding, count));
    for (int i = 0; i < 20; ++i) {
        auto answer = co_await innocent.call<MetadataResponse>(MetadataRequest{}, 12);
        CHECK(answer.brokers.size() == 1);
    }
    for (int i = 0; i < count; ++i) {
        co_await flooding.receive<ApiVersionsResponse>(0);
        if (!flooding.ok) break;
    }
    CHECK(flooding.ok);
    co_await scope.drained();
    co_await flooding.close();
    co_await innocent.close();
}

// Byte by byte, across every boundary there is.
Task<> drip(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    wire::Payload payload;
    for (int32_t id = 1; id <= 3; ++id) {
        wire::Payload part;
        wire::begin_frame(part);
        wire::write_request_header(part, {3, 1, id, std::string(600, 'c')}, false);
        part.append(bytes_of(0, 0, 0, 0));
        wire::end_frame(part);
        payload.append(part.bytes());
    }
    for (auto byte : payload.copy()) co_await client.send_bytes(Bytes(&byte, 1));
    for (int i = 0; i < 3; ++i) {
        auto answer = co_await client.receive<MetadataResponse>(1);
        CHECK(answer.brokers.size() == 1);
    }
    co_await client.close();
}

// Frames far beyond what is received at once.
Task<> large(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    std::string_view limit = "8000000";
    auto topic = co_await create_topic(client, "large", 1, one(client.arena(), CreateTopicsRequest::Config{"max.message.bytes", limit}));
    static constexpr size_t sizes[] = {70'000, 700'000, 7'000'000};
    for (auto size : sizes) {
        std::string value(size, 'v');
        for (size_t i = 0; i < size; i += 997) value[i] = char('a' + i % 26);
        auto done = co_await produce(client, "", topic.topic_id, 0, batch_of(std::string_view(value)));
        CHECK(done.error_code == ErrorCode::none);
        // More than the request's limits, but the first batch always comes.
        auto fetched = co_await client.call<FetchResponse>(fetch_request(client, "", topic.topic_id, 0, done.base_offset.value), 17);
        bool same = values_of(only(fetched)) == value + " ";
        CHECK(same);
    }
    co_await client.close();
}

// Half a frame and then nothing; the broker must be able to stop all the same.
Task<> silence(Loop& loop, Broker& broker) {
    static thread_local std::vector<std::unique_ptr<Client>> silent;
    silent.clear();
    for (int i = 0; i < 64; ++i) {
        auto& client = *silent.emplace_back(std::make_unique<Client>(loop));
        co_await client.connect(broker);
        co_await client.send_bytes(bytes_of(0x03, 0x00, 0x00, 0x00, 0, 0, 0, 9));  // 50 MB are announced.
    }
    Client innocent(loop);
    co_await innocent.connect(broker);
    auto answer = co_await innocent.call<MetadataResponse>(MetadataRequest{}, 12);
    CHECK(answer.brokers.size() == 1);
    for (auto& client : silent) co_await client->close();
    silent.clear();
    co_await innocent.close();
}

}  // namespace

TEST_CASE("a client that breaks the protocol is hung up on, and nobody else notices") { tell_everywhere(hostile); }
TEST_CASE("requests before a broken one are answered") { tell_everywhere(behind); }
TEST_CASE("answers come in the order of the requests") { tell_everywhere(order); }
TEST_CASE("a client that does not read stops being read") { tell_everywhere(flood); }
TEST_CASE("a request may come in any pieces") { tell_everywhere(drip); }
TEST_CASE("large requests and answers are whole") { tell_everywhere(large); }
TEST_CASE("announced bytes that never come cost nothing") { tell_everywhere(silence); }
