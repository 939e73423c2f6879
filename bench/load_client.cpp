#include "load_client.hpp"

#include "base/endian.hpp"
#include "batches.hpp"
#include "protocol/messages/produce.hpp"
#include "requests.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

namespace rafka::bench {
namespace {

using namespace protocol;

Duration seconds(double s) { return Duration(int64_t(s * 1e9)); }

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

// Error code of the only partition of a Produce answer; -1: it cannot be read.
int16_t error_of(Bytes answer, wire::Arena& arena) {
    arena.reset();
    auto header = wire::read_response_header(answer, true);
    if (!header) return -1;
    auto response = wire::read_some<ProduceResponse>(answer, arena, produce_version);
    if (!response || response->responses.empty() || response->responses[0].partition_responses.empty()) return -1;
    return int16_t(response->responses[0].partition_responses[0].error_code);
}

struct Shared {
    Shared(Load load, Loop& loop, LoadResult& result) : load(std::move(load)), loop(loop), result(result), all(loop) {}
    const Load load;
    Loop& loop;
    LoadResult& result;
    Scope all;
    uint64_t sent = 0;
    Instant start{}, measured_from{}, end{}, given_up{};

    bool is_measured(Instant intended) const { return intended >= measured_from && intended < end; }
    bool may_send() const { return load.requests_max == 0 || sent < load.requests_max; }
    void note(Instant intended, Instant now) {
        if (is_measured(intended)) result.micros.push_back(uint32_t((now - intended).count() / 1000));
    }
    void note_unanswered(Instant intended) {
        if (!is_measured(intended)) return;
        ++result.unanswered;
        note(intended, loop.now());
    }
    void object(std::string problem) {
        if (result.problem.empty()) result.problem = std::move(problem);
    }
};

class Connection {
public:
    Connection(Shared& shared, int number) : shared_(shared), answered_(shared.loop) {
        auto& load = shared.load;
        // Of now: what is older than the topic's retention may be deleted while it is read.
        auto batch = batch_of(load.batch_bytes, shared.loop.io().wall());
        batch_bytes_ = batch.size();
        frame_ = produce_frame(load, number % load.partitions, batch);
        intended_.resize(size_t(load.in_flight));
        auto rate = load.requests_per_second / load.connections;
        if (rate > 0) interval_ = seconds(1 / rate);
        next_ = shared.start + interval_ * number / load.connections;
    }

    Task<> run() {
        auto socket = co_await io::Socket::connect(shared_.loop.io(), shared_.load.address);
        if (!socket) { shared_.object("cannot connect"); co_return; }
        socket_ = std::move(*socket);
        shared_.all.start(receive());
        co_await send();
        while (received_ < sent_ && !over()) (void)co_await answered_.wait_until(shared_.given_up);
        if (received_ < sent_ && !failed_) give_up();
        ending_ = true;
        co_await socket_.shutdown();
        while (receiving_) co_await answered_.wait();
        co_await socket_.close();
    }

private:
    bool is_open_loop() const { return interval_ > Duration{}; }
    bool over() const { return failed_ || shared_.loop.now() >= shared_.given_up; }
    // In the open loop everything that was meant to be sent before the end is sent, be it late.
    bool has_more() const { return shared_.may_send() && (is_open_loop() ? next_ : shared_.loop.now()) < shared_.end; }

    Task<> send() {
        while (has_more() && !over()) {
            if (is_open_loop() && next_ > shared_.loop.now()) co_await sleep_until(shared_.loop, next_);
            while (sent_ - received_ >= intended_.size() && !over()) (void)co_await answered_.wait_until(shared_.given_up);
            if (over() || !has_more()) break;
            intended_[sent_ % intended_.size()] = is_open_loop() ? next_ : shared_.loop.now();
            next_ = next_ + interval_;
            store_be(frame_.data() + correlation_at, int32_t(sent_));
            ++sent_;
            ++shared_.sent;
            auto done = co_await socket_.send_all(Bytes(frame_));
            if (!done) failed_ = true;
        }
    }

    void give_up() {
        for (auto i = received_; i < sent_; ++i) shared_.note_unanswered(intended_[i % intended_.size()]);
        for (; is_open_loop() && next_ < shared_.end; next_ = next_ + interval_) shared_.note_unanswered(next_);
    }

    Task<> receive() {
        std::vector<std::byte> prefix(4), answer;
        wire::Arena arena;
        for (;;) {
            auto got = co_await socket_.receive_exact(prefix);
            if (!got) break;
            answer.resize(size_t(load_be<int32_t>(prefix.data())));
            got = co_await socket_.receive_exact(answer);
            if (!got) break;
            if (auto error = error_of(answer, arena); error != 0) {
                shared_.object("error code " + std::to_string(error));
                break;
            }
            on_answer();
        }
        if (!ending_) {
            failed_ = true;
            shared_.object("connection closed");
        }
        receiving_ = false;
        answered_.notify_all();
    }

    void on_answer() {
        auto now = shared_.loop.now();
        shared_.note(intended_[received_ % intended_.size()], now);
        if (shared_.is_measured(now)) {
            ++shared_.result.requests;
            shared_.result.bytes += batch_bytes_;
        }
        ++received_;
        answered_.notify_all();
    }

    Shared& shared_;
    io::Socket socket_;
    std::vector<std::byte> frame_;
    size_t batch_bytes_ = 0;
    Duration interval_{};             // Zero: closed loop.
    Instant next_{};                  // When the next request is meant to be sent.
    std::vector<Instant> intended_;   // Of the requests in flight, a ring.
    Event answered_;
    uint64_t sent_ = 0, received_ = 0;
    bool receiving_ = true, failed_ = false, ending_ = false;
};

Task<> measure_cpu(Shared& shared) {
    auto& cpu = shared.load.cpu;
    co_await sleep_until(shared.loop, shared.measured_from);
    auto before = cpu ? cpu() : 0;
    co_await sleep_until(shared.loop, shared.end);
    shared.result.cpu_seconds = (cpu ? cpu() : 0) - before;
}

}  // namespace

Task<> run_load(Loop& loop, Load load, LoadResult& result) {
    Shared shared(std::move(load), loop, result);
    auto& wanted = shared.load;
    shared.start = loop.now();
    shared.measured_from = shared.start + seconds(wanted.warmup_seconds);
    shared.end = shared.measured_from + seconds(wanted.seconds);
    shared.given_up = shared.end + std::max<Duration>(seconds(wanted.seconds), std::chrono::seconds(2));
    // A bounded number of requests is over when it is over.
    if (wanted.requests_max == 0) shared.all.start(measure_cpu(shared));
    std::vector<std::unique_ptr<Connection>> connections;
    for (int i = 0; i < wanted.connections; ++i) {
        connections.push_back(std::make_unique<Connection>(shared, i));
        shared.all.start(connections.back()->run());
    }
    co_await shared.all.drained();
    result.seconds = wanted.seconds;
    std::sort(result.micros.begin(), result.micros.end());
}

}  // namespace rafka::bench
