// bench/read: reads of a partition through librafka, beside their floor in the same run: a bare ring that reads the same
// bytes of the same segment with direct reads, and does nothing else. One thread each. Reads of the tail touch no disk:
// they stand alone.
//
//   read [--directory PATH] [--seconds N] [--runs N] [--io auto|uring|epoll] [--case TEXT]
//
// The log has batches of 16 KiB, a millisecond apart, in one segment. A read at random takes one batch; the floor reads
// as many blocks as it lies in. By time, the engine first finds the offset, and reads the batch then.

#include "base/endian.hpp"
#include "batches.hpp"
#include "engine_bench.hpp"

#include <rafka/record_batch.hpp>

#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace rafka;
using namespace rafka::bench;

constexpr size_t batch_bytes = 16 << 10, block = 4096, sequential_bytes = 1 << 20;
constexpr uint64_t log_bytes = 512u << 20, tail_bytes = 16u << 20;
constexpr int64_t first_ms = 1'700'000'000'000;

enum class Way { tail, sequential, by_offset, by_time };
struct Case {
    const char* name;
    Way way;
    int in_flight;
};
constexpr Case cases[] = {
    {"tail, 1 MiB", Way::tail, 1},
    {"cold in order, 1 MiB", Way::sequential, 1},
    {"cold by offset", Way::by_offset, 1},
    {"cold by offset, 16 at once", Way::by_offset, 16},
    {"cold by time", Way::by_time, 1},
    {"cold by time, 16 at once", Way::by_time, 16},
};

// What was written: all batches alike but for offset and time.
struct Written {
    size_t batch_size = 0;
    int64_t batches = 0, records_per_batch = 0;

    uint64_t bytes() const { return uint64_t(batches) * batch_size; }
};

class Dice {
public:
    uint64_t below(uint64_t bound) {
        x_ ^= x_ << 13;
        x_ ^= x_ >> 7;
        x_ ^= x_ << 17;
        return x_ % bound;
    }

private:
    uint64_t x_ = 88172645463325252u;
};

// The engine ----------------------------------------------------------------------------------------------------------

Task<> append_one(Partition& partition, std::vector<std::byte> batch) {
    auto appended = co_await partition.append(batch, Origin::client);
    if (!appended) give_up("append", std::string(to_text(appended.error())));
}

Task<> fill(Loop& loop, std::string directory, Written& written) {
    auto engine = co_await open_engine(loop, directory);
    auto& partition = *co_await open_partition(*engine, 0);
    auto batch = batch_of(batch_bytes);
    written.batch_size = batch.size();
    written.records_per_batch = BatchView::trusted(batch).record_count();
    written.batches = int64_t(log_bytes / batch.size());
    constexpr int64_t together = 64;
    for (int64_t i = 0; i < written.batches; i += together) {
        Scope appends(loop);
        for (auto n = i; n < std::min(written.batches, i + together); ++n) {
            store_be<int64_t>(batch.data() + batch_at::base_timestamp, first_ms + n);
            set_max_timestamp(batch, {first_ms + n});
            appends.start(append_one(partition, batch));
        }
        co_await appends.drained();
    }
    co_await close_engine(*engine);
}

size_t taken(const Result<Records>& records) {
    if (!records || records->size == 0) give_up("read", records ? "nothing there" : std::string(to_text(records.error())));
    return records->size;
}

class Reader {
public:
    Reader(Loop& loop, Partition& partition, const Written& written, Way way, Dice& dice)
        : loop_(loop), partition_(partition), written_(written), way_(way), dice_(dice) {}

    Task<> run(Instant until, Measured& measured) {
        while (loop_.now() < until) {
            auto began = loop_.now();
            measured.bytes += co_await read();
            measured.latencies_us.push_back(std::chrono::duration<double, std::micro>(loop_.now() - began).count());
        }
    }

private:
    Task<size_t> read() {
        auto batch = int64_t(dice_.below(uint64_t(written_.batches)));
        switch (way_) {
            case Way::tail: co_return co_await go_on(partition_.log_end_offset() - int64_t(tail_bytes / written_.batch_size) * written_.records_per_batch);
            case Way::sequential: co_return co_await go_on(Offset{0});
            case Way::by_offset: co_return taken(co_await partition_.read({batch * written_.records_per_batch}, 1, true, Isolation::read_uncommitted));
            case Way::by_time: {
                auto found = co_await partition_.find_by_timestamp({first_ms + batch}, Isolation::read_uncommitted);
                if (!found || found->offset.value != batch * written_.records_per_batch) give_up("find by time", "another offset");
                co_return taken(co_await partition_.read(found->offset, 1, true, Isolation::read_uncommitted));
            }
        }
        co_return 0;
    }
    Task<size_t> go_on(Offset start) {
        if (next_ < start || next_ >= partition_.high_watermark()) next_ = start;
        auto records = co_await partition_.read(next_, sequential_bytes, true, Isolation::read_uncommitted);
        auto size = taken(records);
        next_ = next_ + int64_t(size / written_.batch_size) * written_.records_per_batch;
        co_return size;
    }

    Loop& loop_;
    Partition& partition_;
    const Written& written_;
    Way way_;
    Dice& dice_;
    Offset next_{0};
};

// A log that was just opened has nothing in memory: for the tail, some is written first.
Task<> refill_tail(Loop& loop, Partition& partition) {
    Scope appends(loop);
    for (uint64_t i = 0; i < tail_bytes / batch_bytes + 1; ++i) appends.start(append_one(partition, batch_of(batch_bytes, {first_ms})));
    co_await appends.drained();
}

Task<> run_engine(Loop& loop, const Case& what, std::string directory, const Written& written, double seconds, Measured& measured) {
    auto engine = co_await open_engine(loop, directory);
    auto& partition = *co_await open_partition(*engine, 0);
    if (what.way == Way::tail) co_await refill_tail(loop, partition);
    Dice dice;
    std::vector<Reader> readers(size_t(what.in_flight), Reader(loop, partition, written, what.way, dice));
    Scope reading(loop);
    auto began = now(), cpu_began = cpu_now();
    auto until = loop.now() + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    for (auto& reader : readers) reading.start(reader.run(until, measured));
    co_await reading.drained();
    measured.seconds = now() - began;
    measured.cpu_seconds = cpu_now() - cpu_began;
    co_await close_engine(*engine);
}

// The floor -----------------------------------------------------------------------------------------------------------

struct FloorRead {
    char* buffer;
    uint64_t payload;
    double began;
};

Measured measure_floor(const Case& what, const std::string& directory, const Written& written, double seconds) {
    auto path = directory + "/bench-0/00000000000000000000.log";
    int file = open(path.c_str(), O_RDONLY | O_DIRECT);
    if (file < 0) give_up("open O_DIRECT", std::strerror(errno));
    io_uring ring{};
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN;
    if (int error = io_uring_queue_init_params(64, &ring, &parameters); error < 0) give_up("io_uring", std::strerror(-error));

    Dice dice;
    uint64_t position = 0;
    auto submit = [&](FloorRead& read) {
        uint64_t from, size;
        if (what.way == Way::sequential) {
            if (position + sequential_bytes > written.bytes()) position = 0;
            from = position, size = read.payload = sequential_bytes;
            position += size;
        } else {
            auto at = dice.below(uint64_t(written.batches)) * written.batch_size;
            from = at / block * block;
            size = (at + written.batch_size + block - 1) / block * block - from;
            read.payload = written.batch_size;
        }
        auto* entry = io_uring_get_sqe(&ring);
        io_uring_prep_read(entry, file, read.buffer, unsigned(size), from);
        io_uring_sqe_set_data(entry, &read);
        read.began = now();
    };
    std::vector<FloorRead> reads(size_t(what.in_flight));
    for (auto& read : reads) {
        read.buffer = static_cast<char*>(std::aligned_alloc(block, sequential_bytes));
        std::memset(read.buffer, 0, sequential_bytes);
        submit(read);
    }
    Measured measured;
    auto began = now(), cpu_began = cpu_now(), until = began + seconds;
    for (size_t in_flight = reads.size(); in_flight > 0;) {
        io_uring_submit_and_wait(&ring, 1);
        io_uring_cqe* completion;
        unsigned head, seen = 0;
        io_uring_for_each_cqe(&ring, head, completion) {
            ++seen;
            if (completion->res <= 0) give_up("read", std::strerror(completion->res < 0 ? -completion->res : EIO));
            auto& read = *static_cast<FloorRead*>(io_uring_cqe_get_data(completion));
            auto at = now();
            measured.latencies_us.push_back((at - read.began) * 1e6);
            measured.bytes += read.payload;
            if (at < until) submit(read);
            else --in_flight;
        }
        io_uring_cq_advance(&ring, seen);
    }
    measured.seconds = now() - began;
    measured.cpu_seconds = cpu_now() - cpu_began;
    io_uring_queue_exit(&ring);
    for (auto& read : reads) std::free(read.buffer);
    close(file);
    return measured;
}

void print(const Case& what, Measured& engine, Measured& floor, const std::string& ratios) {
    bool touches_disk = what.way != Way::tail;  // References to memory have no speed in bytes.
    std::printf("%-28s %9.0f %8.1f %8.1f %8.1f %9.2f |", what.name, engine.per_second(), touches_disk ? engine.megabytes_per_second() : 0,
                engine.quantile(0.5), engine.quantile(0.99), engine.cpu_seconds * 1e6 / double(engine.latencies_us.size()));
    if (!touches_disk) std::printf("\n");
    else {
        std::printf(" %8.1f %8.1f %9.2f | %s\n", floor.megabytes_per_second(), floor.quantile(0.5),
                    floor.cpu_seconds * 1e6 / double(floor.latencies_us.size()), ratios.c_str());
    }
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    auto options = EngineBench::read(argc, argv);
    auto scratch = options.scratch();
    Written written;
    run_on_loop(options.backend, [&](Loop& loop) { return fill(loop, scratch, written); });
    std::printf("%-28s %9s %8s %8s %8s %9s | %8s %8s %9s | %s\n", "", "reads/s", "MB/s", "p50 us", "p99 us", "CPU us", "MB/s", "p50 us", "CPU us",
                "of the floor: MB/s, p50, CPU");
    for (auto& what : cases) {
        if (!options.only.empty() && options.only != what.name) continue;
        std::vector<double> speed, middle, cpu;
        Measured engine, floor;
        for (int run = 0; run < options.runs; ++run) {
            engine = floor = Measured();
            if (what.way != Way::tail) floor = measure_floor(what, scratch, written, options.seconds);
            run_on_loop(options.backend, [&](Loop& loop) { return run_engine(loop, what, scratch, written, options.seconds, engine); });
            if (what.way == Way::tail) continue;
            speed.push_back(engine.megabytes_per_second() / floor.megabytes_per_second());
            middle.push_back(engine.quantile(0.5) / floor.quantile(0.5));
            cpu.push_back(engine.cpu_seconds / double(engine.latencies_us.size()) / (floor.cpu_seconds / double(floor.latencies_us.size())));
        }
        char ratios[64] = "";
        if (!speed.empty()) std::snprintf(ratios, sizeof ratios, "%.2f %.2f %.2f", median(speed), median(middle), median(cpu));
        print(what, engine, floor, ratios);
    }
    std::filesystem::remove_all(scratch);
}
