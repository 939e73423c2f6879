// Frames as a connection reads them: lengths, headers, several requests in a row, in whatever pieces they arrive. The
// client is a hostile one of a whole broker in the simulator. The input:
//
//   int8 sizes of the pieces, int8 how it ends (0: it waits to be hung up on; 1: it is done sending; 2: it hangs up), bytes
//
// A small decoder of our own says which frames the bytes are and whether the broker must go on behind each. The answers
// must be whole, belong to those requests in their order, and stop where the stream breaks; afterwards nothing of the
// connection is left, and the broker answers somebody else.

#include "fuzz/broker_config.hpp"
#include "fuzz/input.hpp"
#include "fuzz/target.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "broker/broker.hpp"
#include "protocol/api.hpp"
#include "protocol/messages/api_versions.hpp"
#include "sim/world.hpp"
#include "world/client.hpp"

#include <cstring>
#include <memory>
#include <random>
#include <vector>

using namespace rafka;

namespace {

constexpr uint32_t frame_bytes_max = 2048;
constexpr int32_t frame_bytes_min = 8;

broker::Config config() {
    auto config = fuzz::broker_config();
    config.request_bytes_max = frame_bytes_max;
    config.checkpoint_interval_ms = 24 * 3600 * 1000;  // Only requests change files.
    return config;
}

// A broker that serves until a request has changed its files; then another takes its place, so that an input finds what
// every other input found.
class Server {
public:
    Server() {
        std::string problem;
        auto started = world.run(broker_.start(&problem));
        ASSERT(started);
        calm();
    }
    ~Server() {
        auto stopped = world.run(broker_.stop());
        ASSERT(stopped);
    }

    uint16_t port() const { return broker_.bound().front().port; }
    bool is_as_new() { return machine.disk().sequence() == sequence_ && connections_ < connections_max; }
    // Until all that is left are sleepers.
    void calm() {
        world.run_for(std::chrono::milliseconds(10));
        sequence_ = machine.disk().sequence();
    }
    void count_connection() { ++connections_; }

    sim::Machine machine{1, options()};
    sim::World world{machine, 1};

private:
    static constexpr size_t connections_max = 1000;
    static sim::MachineOptions options() {
        sim::MachineOptions options;
        options.disk.space_bytes = 64 << 20;
        return options;
    }

    broker::Broker broker_{world.loops(), config(), "localhost"};
    uint64_t sequence_ = 0;
    size_t connections_ = 0;
};

// One request that the client has sent.
struct Sent {
    int32_t correlation_id = 0;
    int16_t key = 0;
    int16_t version = 0;
};

// What the bytes are, by the rules of the protocol.
struct Reading {
    std::vector<Sent> requests;  // Whose header is whole, and is of an API and version that is served.
    bool breaks = false;         // Behind them comes what no request can be.
};

Reading read_stream(Bytes bytes) {
    Reading reading;
    while (bytes.size() >= wire::frame_prefix_size) {
        auto length = load_be<int32_t>(bytes.data());
        reading.breaks = length < frame_bytes_min || length > int32_t(frame_bytes_max);
        bytes = bytes.subspan(wire::frame_prefix_size);
        if (reading.breaks || size_t(length) > bytes.size()) break;
        auto frame = bytes.first(size_t(length));
        bytes = bytes.subspan(size_t(length));
        auto header = wire::read_request_header(frame, protocol::flexible_request);
        auto* api = header ? protocol::find_api(header->api_key) : nullptr;
        bool served = api && (api->serves(header->api_version) || api->key == protocol::ApiKey::api_versions);
        reading.breaks = !served;
        if (!served) break;
        reading.requests.push_back({header->correlation_id, header->api_key, header->api_version});
    }
    return reading;
}

Task<> send_pieces(io::Socket& socket, Bytes bytes, size_t piece) {
    while (!bytes.empty()) {
        auto part = bytes.first(std::min(bytes.size(), piece));
        bytes = bytes.subspan(part.size());
        auto sent = co_await socket.send_all(part);
        if (!sent) co_return;  // It was hung up on.
    }
}

Task<> receive_all(io::Socket& socket, std::vector<std::byte>& answers, bool& ended) {
    std::vector<std::byte> room(4096);
    for (;;) {
        auto got = co_await socket.receive(room);
        if (!got || *got == 0) break;
        answers.insert(answers.end(), room.begin(), room.begin() + int64_t(*got));
    }
    ended = true;
}

// The answers are those of the requests in their order. A request that is malformed behind its header ends the stream;
// one with acks=0 has no answer. The last answer may be cut off: a broker that hangs up on bytes it has not read resets
// the connection, which takes with it what the client has not read yet.
void check_answers(Bytes answers, const Reading& reading) {
    size_t next = 0;
    while (answers.size() >= wire::frame_prefix_size) {
        auto length = load_be<int32_t>(answers.data());
        ASSERT(length >= 4);
        answers = answers.subspan(wire::frame_prefix_size);
        if (size_t(length) > answers.size()) return;
        auto id = load_be<int32_t>(answers.data());
        answers = answers.subspan(size_t(length));
        while (next < reading.requests.size() && reading.requests[next].correlation_id != id) {
            ASSERT(reading.requests[next].key == int16_t(protocol::ApiKey::produce));
            ++next;
        }
        ASSERT(next < reading.requests.size());
        ++next;
    }
}

// Somebody else is served.
Task<> check_health(uint16_t port) {
    world::Client client(Loop::current());
    auto connected = co_await client.connect(port);
    ASSERT(connected);
    auto answer = co_await client.call<protocol::ApiVersionsResponse>(protocol::ApiVersionsRequest{}, 0);
    ASSERT(answer && answer->error_code == protocol::ErrorCode::none && !answer->api_keys.empty());
    co_await client.disconnect();
}

enum class End : uint8_t { waits, done, hangs_up };

Task<> attack(Server& server, Bytes bytes, size_t piece, End end) {
    auto& loop = Loop::current();
    auto reading = read_stream(bytes);
    SocketAddress address;
    address.ip = {127, 0, 0, 1};
    address.port = server.port();
    auto socket = co_await io::Socket::connect(loop.io(), address);
    ASSERT(socket);
    std::vector<std::byte> answers;
    bool ended = false;
    Scope receiving(loop);
    receiving.start(receive_all(*socket, answers, ended));
    co_await send_pieces(*socket, bytes, piece);
    if (end == End::done) server.machine.network().half_close(server.machine.socket_of(socket->descriptor()), loop.now());
    // Whoever waits long enough is hung up on: a broken stream at once, a quiet one when the broker has had enough.
    if (end == End::hangs_up) (void)co_await socket->shutdown();
    co_await receiving.drained();
    ASSERT(ended);
    auto closed = co_await socket->close();
    ASSERT(closed);
    check_answers(answers, reading);
    co_await sleep_for(loop, std::chrono::seconds(1));
    co_await check_health(server.port());
    co_await sleep_for(loop, std::chrono::seconds(1));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    log::set_level(log::Level::off);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static std::unique_ptr<Server> server;
    if (!server || !server->is_as_new()) {
        server.reset();
        server = std::make_unique<Server>();
    }
    fuzz::Input input(data, size);
    auto piece = 1 + input.byte() * size_t(8);
    auto end = End(input.choice(3));
    auto descriptors = server->machine.descriptor_count();
    server->count_connection();
    server->world.run(attack(*server, input.rest(), piece, end));
    ASSERT(server->machine.descriptor_count() == descriptors);
    return 0;
}
