#include "load_client.hpp"

#include "base/endian.hpp"
#include "base/hash.hpp"
#include "io/epoll.hpp"
#include "io/socket.hpp"
#include "protocol/messages/create_topics.hpp"
#include "protocol/messages/metadata.hpp"
#include "protocol/messages/produce.hpp"
#include "wire/frame.hpp"

#include <rafka/loop.hpp>
#include <rafka/record_batch.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>

namespace rafka::bench {
namespace {

using namespace protocol;

constexpr int16_t produce_version = 9;  // The newest that names topics and that every broker of the comparison has.
constexpr size_t correlation_at = wire::frame_prefix_size + 4;

template <class M>
std::vector<std::byte> frame_of(const M& message, int16_t version) {
    wire::Payload out;
    wire::begin_frame(out);
    wire::RequestHeader header;
    header.api_key = M::schema.key;
    header.api_version = version;
    header.client_id = "load";
    wire::write_request_header(out, header, flexible_request(header.api_key, version));
    wire::write(out, message, version);
    wire::end_frame(out);
    return out.copy();
}

std::vector<std::byte> batch_of(uint32_t bytes) {
    constexpr size_t record_max = 1024;
    BatchBuilder builder;
    std::vector<std::byte> value(record_max);
    uint32_t x = 1;
    for (auto& byte : value) byte = std::byte((x = x * 1664525 + 1013904223) >> 24);
    while (builder.size_estimate() < bytes) {
        auto room = bytes - builder.size_estimate();
        builder.add(Timestamp{1'700'000'000'000}, std::nullopt, Bytes(value).first(std::min<size_t>(record_max, room > 16 ? room - 10 : 1)));
    }
    return builder.build();
}

std::vector<std::byte> produce_frame(const Load& load, int32_t partition, Bytes batch) {
    ProduceRequest::Partition part;
    part.index = partition;
    part.records = batch;
    ProduceRequest::Topic topic;
    topic.name = load.topic;
    topic.partition_data = {&part, 1};
    ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 30'000;
    request.topic_data = {&topic, 1};
    return frame_of(request, produce_version);
}

Task<Result<std::vector<std::byte>>> ask(const io::Socket& socket, std::vector<std::byte> frame) {
    CO_CHECKED(co_await socket.send_all(Bytes(frame)));
    std::vector<std::byte> answer(4);
    CO_CHECKED(co_await socket.receive_exact(answer));
    answer.resize(size_t(load_be<int32_t>(answer.data())));
    CO_CHECKED(co_await socket.receive_exact(answer));
    co_return answer;
}

struct Shared {
    Shared(const Load& load, Loop& loop) : load(load), loop(loop), all(loop) {}
    const Load& load;
    Loop& loop;
    Scope all;
    Instant start{};
    Instant measured_from{};
    Instant end{};
    LoadResult result;
};

// Error code of the only partition of a Produce answer. The floor answers with zeros.
int16_t error_of(Bytes answer) {
    wire::Arena arena;
    auto header = wire::read_response_header(answer, true);
    if (!header) return -1;
    auto response = wire::read_some<ProduceResponse>(answer, arena, produce_version);
    if (!response || response->responses.empty() || response->responses[0].partition_responses.empty()) return 0;
    return int16_t(response->responses[0].partition_responses[0].error_code);
}

class Connection {
public:
    Connection(Shared& shared, int number) : shared_(shared), answered_(shared.loop) {
        auto batch = batch_of(shared.load.batch_bytes);
        batch_bytes_ = batch.size();
        frame_ = produce_frame(shared.load, number % shared.load.partitions, batch);
        intended_.resize(size_t(shared.load.in_flight));
    }

    Task<> run(int number) {
        auto socket = co_await io::Socket::connect(shared_.loop.io(), shared_.load.address);
        if (!socket) { shared_.result.problem = "cannot connect"; co_return; }
        socket_ = std::move(*socket);
        shared_.all.start(receive());
        auto rate = shared_.load.requests_per_second / shared_.load.connections;
        auto interval = rate > 0 ? Duration(int64_t(1e9 / rate)) : Duration{};
        auto next = shared_.start + interval * number / shared_.load.connections;
        while (shared_.loop.now() < shared_.end && !failed_) {
            if (rate > 0 && next > shared_.loop.now()) co_await sleep_until(shared_.loop, next);
            while (sent_ - received_ >= intended_.size() && !failed_) co_await answered_.wait();
            if (failed_) break;
            auto now = shared_.loop.now();
            intended_[sent_ % intended_.size()] = rate > 0 ? next : now;
            next = next + interval;
            store_be(frame_.data() + correlation_at, int32_t(sent_));
            ++sent_;
            auto done = co_await socket_.send_all(Bytes(frame_));
            if (!done) failed_ = true;
        }
        sending_ = false;
        while (received_ < sent_ && !failed_) co_await answered_.wait();
        co_await socket_.shutdown();
        while (receiving_) co_await answered_.wait();
        co_await socket_.close();
    }

private:
    Task<> receive() {
        std::vector<std::byte> prefix(4), answer;
        for (;;) {
            auto got = co_await socket_.receive_exact(prefix);
            if (!got) break;
            answer.resize(size_t(load_be<int32_t>(prefix.data())));
            got = co_await socket_.receive_exact(answer);
            if (!got) break;
            auto now = shared_.loop.now();
            if (auto error = error_of(answer); error != 0) {
                shared_.result.problem = "error code " + std::to_string(error);
                break;
            }
            auto since = intended_[received_ % intended_.size()];
            ++received_;
            answered_.notify_all();
            if (since >= shared_.measured_from && now <= shared_.end) {
                auto& result = shared_.result;
                ++result.requests;
                result.bytes += batch_bytes_;
                result.micros.push_back(uint32_t((now - since).count() / 1000));
            }
        }
        if (sending_ || received_ < sent_) {
            failed_ = true;
            if (shared_.result.problem.empty()) shared_.result.problem = "connection closed";
        }
        receiving_ = false;
        answered_.notify_all();
    }

    Shared& shared_;
    io::Socket socket_;
    std::vector<std::byte> frame_;
    size_t batch_bytes_ = 0;
    std::vector<Instant> intended_;
    Event answered_;
    uint64_t sent_ = 0, received_ = 0;
    bool sending_ = true, receiving_ = true, failed_ = false;
};

Task<Result<>> create_topic(Loop& loop, const Load& load) {
    CO_TRY(auto socket, co_await io::Socket::connect(loop.io(), load.address));
    CreateTopicsRequest::Topic topic;
    topic.name = load.topic;
    topic.num_partitions = load.partitions;
    topic.replication_factor = 1;
    CreateTopicsRequest request;
    request.topics = {&topic, 1};
    request.timeout_ms = 30'000;
    auto answer = co_await ask(socket, frame_of(request, 5));
    co_await socket.close();
    if (!answer) co_return fail(answer.error());
    // A broker may answer before everyone knows the topic.
    co_await sleep_for(loop, std::chrono::milliseconds(300));
    co_return {};
}

Task<> tell_start(Shared& shared, void (*at_start)(void*), void* context) {
    co_await sleep_until(shared.loop, shared.measured_from);
    at_start(context);
}

Task<> whole(Shared& shared, bool is_floor, void (*at_start)(void*), void* context, bool& done) {
    if (!is_floor) {
        auto created = co_await create_topic(shared.loop, shared.load);
        if (!created) shared.result.problem = "cannot create the topic";
    }
    std::vector<std::unique_ptr<Connection>> connections;
    shared.start = shared.loop.now();
    auto seconds = [](double s) { return Duration(int64_t(s * 1e9)); };
    shared.measured_from = shared.start + seconds(shared.load.warmup_seconds);
    shared.end = shared.measured_from + seconds(shared.load.seconds);
    shared.all.start(tell_start(shared, at_start, context));
    for (int i = 0; i < shared.load.connections; ++i) {
        connections.push_back(std::make_unique<Connection>(shared, i));
        shared.all.start(connections.back()->run(i));
    }
    co_await shared.all.drained();
    done = true;
}

}  // namespace

LoadResult run_load(const Load& load, void (*at_start)(void*), void* context) {
    io::Epoll io;
    Loop loop(io, 0);
    Shared shared(load, loop);
    Scope scope(loop);
    bool done = false;
    scope.start(whole(shared, load.topic.empty(), at_start, context, done));
    while (!done || scope.size() > 0) loop.turn(loop.now() + std::chrono::milliseconds(100));
    shared.result.seconds = load.seconds;
    std::sort(shared.result.micros.begin(), shared.result.micros.end());
    return std::move(shared.result);
}

double seconds_to_first_metadata(const SocketAddress& address, double limit) {
    auto start = std::chrono::steady_clock::now();
    auto passed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    MetadataRequest request;
    request.topics.emplace();
    auto frame = frame_of(request, 9);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (passed() < limit) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
            if (write(fd, frame.data(), frame.size()) == ssize_t(frame.size())) {
                std::byte answer[4];
                if (read(fd, answer, sizeof answer) == 4) {
                    close(fd);
                    return passed();
                }
            }
        }
        close(fd);
        usleep(200);
    }
    return -1;
}

void serve_floor(int listening_socket) {
    // One thread a connection would be fair to many connections; poll over a handful is closer to one loop.
    io::Epoll io;
    Loop loop(io, 0);
    Scope scope(loop);
    struct Server {
        static Task<> serve(io::Socket socket) {
            std::vector<std::byte> prefix(4), body;
            std::vector<std::byte> answer(4 + 64);
            store_be<int32_t>(answer.data(), 64);
            for (;;) {
                auto got = co_await socket.receive_exact(prefix);
                if (!got) break;
                body.resize(size_t(load_be<int32_t>(prefix.data())));
                got = co_await socket.receive_exact(body);
                if (!got) break;
                volatile auto crc = crc32c(body);
                (void)crc;
                std::copy_n(body.data() + 4, 4, answer.data() + 4);
                got = co_await socket.send_all(Bytes(answer));
                if (!got) break;
            }
            co_await socket.close();
        }
        static Task<> accept(Loop& loop, Scope& scope, int fd) {
            SocketAddress any;
            io::Listener listener(loop.io(), fd, any);
            for (;;) {
                auto socket = co_await listener.accept();
                if (!socket) std::exit(1);
                scope.start(serve(std::move(*socket)));
            }
        }
    };
    scope.start(Server::accept(loop, scope, listening_socket));
    loop.run();
    std::exit(0);
}

}  // namespace rafka::bench
