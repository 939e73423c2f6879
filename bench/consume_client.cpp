#include "consume_client.hpp"

#include "base/endian.hpp"
#include "protocol/messages/fetch.hpp"
#include "protocol/messages/list_offsets.hpp"
#include "requests.hpp"

#include <rafka/record_batch.hpp>

#include <algorithm>
#include <chrono>

namespace rafka::bench {
namespace {

using namespace protocol;

Duration seconds(double s) { return Duration(int64_t(s * 1e9)); }

struct Shared {
    Shared(Consume consume, Loop& loop, LoadResult& result) : consume(std::move(consume)), loop(loop), result(result), all(loop) {}
    const Consume consume;
    Loop& loop;
    LoadResult& result;
    Scope all;
    Instant measured_from{}, end = never;

    void object(std::string problem) {
        if (result.problem.empty()) result.problem = std::move(problem);
    }
    double cpu() const { return consume.cpu ? consume.cpu() : 0; }
};

std::vector<std::byte> fetch_frame(const Consume& consume, Offset from) {
    FetchRequest::Partition part;
    part.fetch_offset = from;
    part.partition_max_bytes = consume.partition_bytes_max;
    FetchRequest::Topic topic;
    topic.topic = consume.topic;
    topic.partitions = {&part, 1};
    FetchRequest request;
    request.max_wait_ms = 500;
    request.min_bytes = 1;
    request.max_bytes = 50 << 20;
    request.topics = {&topic, 1};
    return frame_of(request, fetch_version);
}

std::vector<std::byte> list_offsets_frame(const Consume& consume, Timestamp which) {
    ListOffsetsRequest::Partition part;
    part.timestamp = which;
    ListOffsetsRequest::Topic topic;
    topic.name = consume.topic;
    topic.partitions = {&part, 1};
    ListOffsetsRequest request;
    request.replica_id = -1;
    request.topics = {&topic, 1};
    return frame_of(request, list_offsets_version);
}

struct Batches {
    uint64_t bytes = 0;
    Offset next = no_offset;  // Behind the last whole one; none: there was none.
    bool good = true;
};

// What a consumer would go through. CRCs only on demand: they cost the client, not the broker.
Batches walk(Bytes records, bool check) {
    Batches batches;
    while (records.size() >= batch_header_size) {
        auto size = uint64_t(load_be<int32_t>(records.data() + batch_at::length)) + batch_size_prefix;
        if (size > records.size()) break;
        auto batch = BatchView::trusted(records.first(size));
        if (check && !batch.crc_matches()) batches.good = false;
        batches.bytes += size;
        batches.next = batch.next_offset();
        records = records.subspan(size);
    }
    return batches;
}

class Consumer {
public:
    explicit Consumer(Shared& shared) : shared_(shared) {}

    Task<> run() {
        auto socket = co_await io::Socket::connect(shared_.loop.io(), shared_.consume.address);
        if (!socket) { shared_.object("cannot connect"); co_return; }
        socket_ = std::move(*socket);
        bool ready = co_await find_ends();
        if (ready) co_await read();
        co_await socket_.close();
    }

private:
    Task<bool> find_ends() {
        if (shared_.consume.topic.empty()) co_return true;  // The floor answers with the same batches for ever.
        constexpr Timestamp earliest{-2}, latest{-1};
        for (auto which : {earliest, latest}) {
            auto bytes = co_await ask(socket_, list_offsets_frame(shared_.consume, which));
            Answer<ListOffsetsResponse> answer;
            if (bytes) answer.bytes = std::move(*bytes);
            if (!bytes || !read_answer(answer, list_offsets_version) || answer.message.topics.empty() ||
                answer.message.topics[0].partitions[0].error_code != ErrorCode::none) {
                shared_.object("no answer that names the ends of the log");
                co_return false;
            }
            (which == earliest ? begin_ : end_) = answer.message.topics[0].partitions[0].offset;
        }
        if (begin_ < end_) co_return true;
        shared_.object("the topic is empty");
        co_return false;
    }

    Task<> read() {
        for (bool first = true;; first = false) {
            auto at = begin_;
            while (at < end_) {
                if (shared_.loop.now() >= shared_.end) co_return;
                auto began = shared_.loop.now();
                auto bytes = co_await ask(socket_, fetch_frame(shared_.consume, at));
                if (!bytes) { shared_.object("connection closed"); co_return; }
                auto batches = batches_of(std::move(*bytes), first);
                if (batches.next == no_offset) co_return;
                at = batches.next;
                auto now = shared_.loop.now();
                if (now < shared_.measured_from || now >= shared_.end) continue;
                ++shared_.result.requests;
                shared_.result.bytes += batches.bytes;
                shared_.result.micros.push_back(uint32_t((now - began).count() / 1000));
            }
            if (shared_.consume.once) co_return;
        }
    }

    Batches batches_of(std::vector<std::byte> bytes, bool check) {
        Answer<FetchResponse> answer;
        answer.bytes = std::move(bytes);
        if (!read_answer(answer, fetch_version) || answer.message.responses.empty()) return object("an answer that cannot be read");
        auto& partition = answer.message.responses[0].partitions[0];
        if (partition.error_code != ErrorCode::none) return object("error code " + std::to_string(int(partition.error_code)));
        Batches all;
        for (auto piece : partition.records->list) all = walk(piece, check);
        if (!all.good) return object("a batch whose CRC is wrong");
        if (all.next == no_offset) return object("no batch where some should be");
        return all;
    }
    Batches object(std::string problem) {
        shared_.object(std::move(problem));
        return {};
    }

    Shared& shared_;
    io::Socket socket_;
    Offset begin_{0}, end_{1};
};

Task<> measure_cpu(Shared& shared) {
    co_await sleep_until(shared.loop, shared.measured_from);
    auto before = shared.cpu();
    co_await sleep_until(shared.loop, shared.end);
    shared.result.cpu_seconds = shared.cpu() - before;
}

}  // namespace

Task<> run_consume(Loop& loop, Consume consume, LoadResult& result) {
    Shared shared(std::move(consume), loop, result);
    auto& wanted = shared.consume;
    auto start = shared.measured_from = loop.now();
    auto cpu_before = shared.cpu();
    if (!wanted.once) {
        shared.measured_from = start + seconds(wanted.warmup_seconds);
        shared.end = shared.measured_from + seconds(wanted.seconds);
        shared.all.start(measure_cpu(shared));
    }
    std::vector<std::unique_ptr<Consumer>> consumers;
    for (int i = 0; i < wanted.connections; ++i) {
        consumers.push_back(std::make_unique<Consumer>(shared));
        shared.all.start(consumers.back()->run());
    }
    co_await shared.all.drained();
    result.seconds = wanted.seconds;
    if (wanted.once) {
        result.cpu_seconds = shared.cpu() - cpu_before;
        result.seconds = std::chrono::duration<double>(loop.now() - start).count();
    }
    std::sort(result.micros.begin(), result.micros.end());
}

}  // namespace rafka::bench
