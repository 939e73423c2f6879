#pragma once

// A whole broker, and clients that speak to it with our own Reader and Writer. A story is a coroutine on the first
// loop; it is told over the machine's Io and over a simulated one, with one loop and with three.

#include "base/endian.hpp"
#include "base/log.hpp"
#include "broker/broker.hpp"
#include "io/backend.hpp"
#include "io/socket.hpp"
#include "protocol/api.hpp"
#include "protocol/messages/create_topics.hpp"
#include "protocol/messages/fetch.hpp"
#include "protocol/messages/produce.hpp"
#include "sim/machine.hpp"
#include "sim/world.hpp"
#include "wire/frame.hpp"
#include "wire/message.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace rafka::test {

using broker::Broker;
using protocol::ErrorCode;

class Client {
public:
    explicit Client(Loop& loop) : loop_(loop) {}

    Task<> connect(const Broker& broker) {
        SocketAddress address;
        address.ip = {127, 0, 0, 1};
        address.port = broker.bound().front().port;
        auto socket = co_await io::Socket::connect(loop_.io(), address);
        CHECK(socket.has_value());
        if (socket) socket_ = std::move(*socket);
    }
    Task<> send_bytes(Bytes bytes) {
        auto sent = co_await socket_.send_all(bytes);
        (void)sent;  // The broker may have hung up, which is what some tests want to see.
    }
    template <class M>
    Task<> send(M message, int16_t version) {
        wire::Payload payload;
        wire::begin_frame(payload);
        wire::write_request_header(payload, {M::schema.key, version, next_id_++, "test"}, M::schema.flexible(version));
        wire::write(payload, message, version);
        wire::end_frame(payload);
        co_await send_bytes(payload.bytes());
    }
    // The next answer; its views live as long as the client. Default, with `ok` false, when there is none.
    template <class M>
    Task<M> receive(int16_t version) {
        M message;
        std::byte prefix[4];
        auto begun = co_await socket_.receive_exact(MutableBytes(prefix));
        ok = begun.has_value();
        if (!ok) co_return message;
        auto& frame = frames_.emplace_back(size_t(load_be<int32_t>(prefix)));
        auto ended = co_await socket_.receive_exact(frame);
        ok = ended.has_value();
        Bytes rest = frame;
        auto id = wire::read_response_header(rest, protocol::flexible_response_header(M::schema.key, version));
        CHECK(id.has_value());
        if (id) CHECK(*id == expected_id_++);
        auto read = wire::read<M>(rest, arena_, version);
        CHECK(read.has_value());
        ok = ok && read.has_value();
        if (read) message = *read;
        co_return message;
    }
    template <class R, class M>
    Task<R> call(M message, int16_t version) {
        co_await send(message, version);
        co_return co_await receive<R>(version);
    }
    // Whether the broker hangs up, and sends nothing before it does.
    Task<bool> is_hung_up() {
        std::byte byte[1];
        auto got = co_await socket_.receive(MutableBytes(byte));
        co_return !got || *got == 0;
    }
    void skip_id() { ++expected_id_; }  // A request that has no answer.
    Task<> close() {
        auto closed = co_await socket_.close();
        CHECK(closed.has_value());
    }

    bool ok = true;
    wire::Arena& arena() { return arena_; }
    Loop& loop() { return loop_; }

private:
    Loop& loop_;
    io::Socket socket_;
    wire::Arena arena_;
    std::deque<std::vector<std::byte>> frames_;
    int32_t next_id_ = 1;
    int32_t expected_id_ = 1;
};

template <class T>
wire::Array<T> one(wire::Arena& arena, const T& element) {
    auto array = arena.make<T>(1);
    array[0] = element;
    return array;
}

inline std::vector<std::byte> build_batch(std::span<const std::string_view> values, int64_t producer_id, int32_t sequence) {
    BatchBuilder::Options options;
    options.producer_id = producer_id;
    options.producer_epoch = producer_id < 0 ? -1 : 0;
    options.base_sequence = sequence;
    BatchBuilder builder(options);
    for (auto value : values) builder.add(Timestamp{1'700'000'000'000}, std::nullopt, as_bytes(value));
    return builder.build();
}

// Not from an initializer list: g++ 12 cannot have one in an expression that waits.
template <class... Values>
std::vector<std::byte> batch_of(Values... values) {
    std::string_view list[] = {values...};
    return build_batch(list, -1, -1);
}

inline std::vector<std::byte> batch_from(int64_t producer_id, int32_t sequence) {
    std::string_view value = "v";
    return build_batch(std::span(&value, 1), producer_id, sequence);
}

// Everything below makes one client's usual requests short.
inline Task<protocol::CreateTopicsResponse::Topic> create_topic(Client& client, std::string_view name, int32_t partitions,
                                                                wire::Array<protocol::CreateTopicsRequest::Config> configs = {}) {
    protocol::CreateTopicsRequest request;
    protocol::CreateTopicsRequest::Topic topic;
    topic.name = name;
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    topic.configs = configs;
    request.topics = one(client.arena(), topic);
    auto response = co_await client.call<protocol::CreateTopicsResponse>(request, 7);
    CHECK(response.topics.size() == 1);
    co_return response.topics.empty() ? protocol::CreateTopicsResponse::Topic{} : response.topics[0];
}

inline protocol::ProduceRequest produce_request(Client& client, std::string_view topic, const Uuid& id, int32_t partition, Bytes batch,
                                                int16_t acks = -1) {
    protocol::ProduceRequest request;
    request.acks = acks;
    request.timeout_ms = 1000;
    protocol::ProduceRequest::Partition data;
    data.index = partition;
    data.records = batch;
    request.topic_data = one(client.arena(), protocol::ProduceRequest::Topic{topic, id, one(client.arena(), data)});
    return request;
}

inline Task<protocol::ProduceResponse::Partition> produce(Client& client, std::string_view topic, const Uuid& id, int32_t partition,
                                                          Bytes batch, int16_t version = 13) {
    auto response = co_await client.call<protocol::ProduceResponse>(produce_request(client, topic, id, partition, batch), version);
    bool one_answer = response.responses.size() == 1 && response.responses[0].partition_responses.size() == 1;
    CHECK(one_answer);
    co_return one_answer ? response.responses[0].partition_responses[0] : protocol::ProduceResponse::Partition{};
}

inline protocol::FetchRequest fetch_request(Client& client, std::string_view topic, const Uuid& id, int32_t partition, int64_t offset,
                                            int32_t wait_ms = 0, int32_t min_bytes = 1) {
    protocol::FetchRequest request;
    request.max_wait_ms = wait_ms;
    request.min_bytes = min_bytes;
    request.max_bytes = 1 << 20;
    protocol::FetchRequest::Partition wish;
    wish.partition = partition;
    wish.fetch_offset = Offset{offset};
    wish.partition_max_bytes = 1 << 20;
    request.topics = one(client.arena(), protocol::FetchRequest::Topic{topic, id, one(client.arena(), wish)});
    return request;
}

inline protocol::FetchResponse::Partition only(const protocol::FetchResponse& response) {
    bool one_answer = response.responses.size() == 1 && response.responses[0].partitions.size() == 1;
    CHECK(one_answer);
    return one_answer ? response.responses[0].partitions[0] : protocol::FetchResponse::Partition{};
}

// The values of the records an answer brought, with a blank behind each.
inline std::string values_of(const protocol::FetchResponse::Partition& partition) {
    std::string text;
    if (!partition.records) return "null";
    std::vector<std::byte> whole;
    for (auto piece : partition.records->list) whole.insert(whole.end(), piece.begin(), piece.end());
    for (Bytes rest = whole; !rest.empty();) {
        auto batch = BatchView::frame(rest);
        if (!batch) return text + "...";
        if (!batch->crc_matches()) return text + "damaged";
        auto records = RecordReader::open(*batch, 1 << 24);
        if (!records) return text + "?";
        RecordView record;
        while (records->next(record)) text += std::string(as_text(*record.value)) + " ";
        rest = rest.subspan(batch->size());
    }
    return text;
}

using Story = Task<> (*)(Loop& loop, Broker& broker);

inline broker::Config config_of(std::string directory) {
    broker::Config config;
    config.log_directory = std::move(directory);
    metadata::Endpoint listener;
    listener.name = "PLAINTEXT";
    listener.host = "127.0.0.1";
    config.listeners = {listener};
    config.controller.name = "CONTROLLER";
    config.controller.host = "localhost";
    config.controller.port = 9093;
    return config;
}

inline Task<> tell(Loop& loop, Broker& broker, Story story) {
    std::string problem;
    auto started = co_await broker.start(&problem);
    INFO(problem);
    CHECK(started.has_value());
    if (!started) co_return;
    co_await story(loop, broker);
    auto stopped = co_await broker.stop();
    CHECK(stopped.has_value());
}

inline void tell_everywhere(Story story) {
    log::set_level(log::Level::error);  // What clients cause is the story itself.
    for (uint32_t count : {1u, 3u}) {
        INFO("loops: ", count);
        {
            std::string directory = (std::filesystem::current_path() / "broker-test-XXXXXX").string();
            REQUIRE(mkdtemp(directory.data()));
            {
                io::LoopThreads threads(count, io::Backend::automatic);
                REQUIRE(threads.is_good());
                std::vector<Loop*> loops;
                for (uint32_t i = 0; i < count; ++i) loops.push_back(&threads[i]);
                Broker broker(loops, config_of(directory), "localhost");
                block_on(*loops[0], tell(*loops[0], broker, story));
            }
            std::filesystem::remove_all(directory);
        }
        for (uint64_t seed : {1u, 2u}) {
            INFO("simulated, seed ", seed);
            sim::Machine machine(seed);
            sim::World world(machine, seed, count);
            Broker broker(world.loops(), config_of("/data"), "localhost");
            world.run(tell(world.loop(), broker, story));
        }
    }
}

}  // namespace rafka::test
