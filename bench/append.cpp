// bench/append: durable appends to partitions through librafka, beside their floor in the same run: a bare ring that
// makes the same bytes durable with direct writes into files allocated ahead, and does nothing else. One thread each.
//
//   append [--directory PATH] [--seconds N] [--runs N] [--io auto|uring|epoll] [--case TEXT]
//
// Where several batches of a partition are in flight, the floor writes them as one group, one write at a time: fewer
// writes are not possible. Where there are several partitions, it writes to as many files at once.

#include "batches.hpp"
#include "engine_bench.hpp"

#include <rafka/engine.hpp>
#include <rafka/loop.hpp>

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

struct Case {
    const char* name;
    size_t batch_bytes;
    int partitions, in_flight;  // Per partition.
};
constexpr Case cases[] = {
    {"1 KiB", 1 << 10, 1, 1},
    {"1 KiB, 64 in flight", 1 << 10, 1, 64},
    {"16 KiB", 16 << 10, 1, 1},
    {"16 KiB, 16 in flight", 16 << 10, 1, 16},
    {"64 KiB", 64 << 10, 1, 1},
    {"64 KiB, 8 in flight", 64 << 10, 1, 8},
    {"1 MiB, 4 in flight", 1'000'000, 1, 4},
    {"4 KiB, 64 partitions", 4 << 10, 64, 1},
};

// The engine ----------------------------------------------------------------------------------------------------------

Task<> produce(Loop& loop, Partition& partition, Bytes batch, Instant until, Measured& measured) {
    while (loop.now() < until) {
        auto began = loop.now();
        auto appended = co_await partition.append(batch, Origin::client);
        if (!appended) give_up("append", std::string(to_text(appended.error())));
        measured.latencies_us.push_back(std::chrono::duration<double, std::micro>(loop.now() - began).count());
        measured.bytes += batch.size();
    }
}

Task<> run_engine(Loop& loop, const Case& what, std::string directory, double seconds, Measured& measured) {
    auto engine = co_await open_engine(loop, directory);
    std::vector<Partition*> partitions;
    for (int i = 0; i < what.partitions; ++i) partitions.push_back(co_await open_partition(*engine, i));
    auto batch = batch_of(what.batch_bytes);
    Measured warm;
    // The first second goes into warming up: first allocations, steps that grow with the rate.
    for (auto* into : {&warm, &measured}) {
        Scope producers(loop);
        auto length = std::chrono::duration<double>(into == &warm ? std::min(1.0, seconds) : seconds);
        auto began = now(), cpu_began = cpu_now();
        auto until = loop.now() + std::chrono::duration_cast<Duration>(length);
        for (auto* partition : partitions) {
            for (int i = 0; i < what.in_flight; ++i) producers.start(produce(loop, *partition, batch, until, *into));
        }
        co_await producers.drained();
        into->seconds = now() - began;
        into->cpu_seconds = cpu_now() - cpu_began;
    }
    co_await close_engine(*engine);
}

Measured measure_engine(const Case& what, const std::string& directory, double seconds, io::Backend backend) {
    Measured measured;
    run_on_loop(backend, [&](Loop& loop) { return run_engine(loop, what, directory, seconds, measured); });
    std::filesystem::remove_all(directory);
    return measured;
}

// The floor -----------------------------------------------------------------------------------------------------------

constexpr size_t block = 4096;

struct FloorFile {
    int descriptor = -1;
    uint64_t position = 0;
    double began = 0;
};

void allocate(FloorFile& file, uint64_t size) {
    if (ftruncate(file.descriptor, 0) != 0 || fallocate(file.descriptor, 0, 0, off_t(size)) != 0) give_up("fallocate", std::strerror(errno));
    file.position = 0;
}

Measured measure_floor(const Case& what, const std::string& directory, double seconds) {
    auto payload = what.batch_bytes * size_t(what.in_flight);
    auto size = (payload + block - 1) / block * block;
    auto file_bytes = std::min<uint64_t>(1 << 30, (uint64_t(4) << 30) / uint64_t(what.partitions));
    auto* buffer = static_cast<char*>(std::aligned_alloc(block, size));
    std::memset(buffer, 0x5a, size);

    io_uring ring{};
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN;
    if (int error = io_uring_queue_init_params(unsigned(what.partitions * 2), &ring, &parameters); error < 0) {
        give_up("io_uring", std::strerror(-error));
    }
    std::filesystem::create_directories(directory);
    std::vector<FloorFile> files(size_t(what.partitions));
    for (size_t i = 0; i < files.size(); ++i) {
        auto path = directory + "/" + std::to_string(i);
        files[i].descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_DIRECT, 0600);
        if (files[i].descriptor < 0) give_up("open O_DIRECT", std::strerror(errno));
        allocate(files[i], file_bytes);
    }

    auto submit = [&](FloorFile& file) {
        if (file.position + size > file_bytes) allocate(file, file_bytes);
        auto* entry = io_uring_get_sqe(&ring);
        io_uring_prep_write(entry, file.descriptor, buffer, unsigned(size), file.position);
        entry->rw_flags = RWF_DSYNC;
        io_uring_sqe_set_data(entry, &file);
        file.position += size;
        file.began = now();
    };
    Measured measured;
    for (auto& file : files) submit(file);
    auto began = now(), cpu_began = cpu_now(), until = began + seconds;
    for (size_t in_flight = files.size(); in_flight > 0;) {
        io_uring_submit_and_wait(&ring, 1);
        io_uring_cqe* completion;
        unsigned head, seen = 0;
        io_uring_for_each_cqe(&ring, head, completion) {
            ++seen;
            if (completion->res != int(size)) give_up("write", std::strerror(completion->res < 0 ? -completion->res : EIO));
            auto& file = *static_cast<FloorFile*>(io_uring_cqe_get_data(completion));
            auto at = now();
            measured.latencies_us.push_back((at - file.began) * 1e6);
            measured.bytes += payload;
            if (at < until) submit(file);
            else --in_flight;
        }
        io_uring_cq_advance(&ring, seen);
    }
    measured.seconds = now() - began;
    measured.cpu_seconds = cpu_now() - cpu_began;
    io_uring_queue_exit(&ring);
    for (auto& file : files) close(file.descriptor);
    std::free(buffer);
    std::filesystem::remove_all(directory);
    return measured;
}

}  // namespace

int main(int argc, char** argv) {
    auto options = EngineBench::read(argc, argv);
    auto scratch = options.scratch();
    std::printf("%-22s %9s %8s %8s %8s %9s | %8s %8s %8s | %s\n", "", "batches/s", "MB/s", "p50 us", "p99 us", "CPU-s/GB", "MB/s", "p50 us",
                "CPU-s/GB", "of the floor: MB/s, p50, CPU");
    for (auto& what : cases) {
        if (!options.only.empty() && options.only != what.name) continue;
        std::vector<double> speed, middle, cpu;
        Measured engine, floor;
        for (int run = 0; run < options.runs; ++run) {
            floor = measure_floor(what, scratch, options.seconds);
            engine = measure_engine(what, scratch, options.seconds, options.backend);
            speed.push_back(engine.megabytes_per_second() / floor.megabytes_per_second());
            middle.push_back(engine.quantile(0.5) / floor.quantile(0.5));
            cpu.push_back(engine.cpu_per_gigabyte() / floor.cpu_per_gigabyte());
        }
        std::printf("%-22s %9.0f %8.1f %8.0f %8.0f %9.2f | %8.1f %8.0f %8.2f | %.2f %.2f %.2f\n", what.name,
                    engine.per_second(), engine.megabytes_per_second(), engine.quantile(0.5),
                    engine.quantile(0.99), engine.cpu_per_gigabyte(), floor.megabytes_per_second(), floor.quantile(0.5),
                    floor.cpu_per_gigabyte(), median(speed), median(middle), median(cpu));
        std::fflush(stdout);
    }
}
