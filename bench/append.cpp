// bench/append: durable appends to partitions through librafka, beside their floor in the same run: a bare ring that
// makes the same bytes durable with direct writes into files allocated ahead, and does nothing else. One thread each.
//
//   append [--directory PATH] [--seconds N] [--runs N] [--io auto|uring|epoll] [--case TEXT]
//
// Where several batches of a partition are in flight, the floor writes them as one group, one write at a time: fewer
// writes are not possible. Where there are several partitions, it writes to as many files at once.

#include "io/backend.hpp"

#include <rafka/engine.hpp>
#include <rafka/loop.hpp>
#include <rafka/record_batch.hpp>

#include <fcntl.h>
#include <liburing.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace rafka;

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

struct Measured {
    double seconds = 0, cpu_seconds = 0;
    uint64_t bytes = 0;
    std::vector<double> latencies_us;  // Of a batch, or of a floor's write.

    double megabytes_per_second() const { return double(bytes) / seconds / 1e6; }
    double cpu_per_gigabyte() const { return cpu_seconds / (double(bytes) / 1e9); }
    double quantile(double q) {
        if (latencies_us.empty()) return 0;
        auto at = latencies_us.begin() + long(q * double(latencies_us.size() - 1));
        std::nth_element(latencies_us.begin(), at, latencies_us.end());
        return *at;
    }
};

[[noreturn]] void give_up(const char* what, const std::string& why) {
    std::fprintf(stderr, "append: %s: %s\n", what, why.c_str());
    std::exit(1);
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Of all threads, kernel workers of the ring included.
double cpu_now() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    auto seconds = [](timeval t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Records of about 1 KiB whose bytes repeat nowhere.
std::vector<std::byte> batch_of(size_t size) {
    BatchBuilder builder;
    uint64_t x = 88172645463325252u;
    while (builder.size_estimate() + 100 < size) {
        std::vector<std::byte> value(std::min<size_t>(1000, size - builder.size_estimate() - 80));
        for (auto& byte : value) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            byte = std::byte(x);
        }
        builder.add({1'700'000'000'000}, {}, Bytes(value));
    }
    return builder.build();
}

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
    EngineOptions options;
    options.directory = directory;
    Loop* loops[] = {&loop};
    auto opened = co_await Engine::open(loops, options);
    if (!opened) give_up("open", std::string(to_text(opened.error())));
    auto engine = std::move(*opened);
    LogOptions log_options;
    log_options.timestamp_before_max_ms = INT64_MAX;
    std::vector<Partition*> partitions;
    for (int i = 0; i < what.partitions; ++i) {
        PartitionKey key;
        key.topic_id.bytes[0] = std::byte{1};
        key.partition = i;
        auto partition = co_await engine->open_partition(key, "bench", log_options);
        if (!partition) give_up("open partition", std::string(to_text(partition.error())));
        partitions.push_back(*partition);
    }
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
    auto closed = co_await engine->close(-1);
    if (!closed) give_up("close", std::string(to_text(closed.error())));
}

Measured measure_engine(const Case& what, const std::string& directory, double seconds, io::Backend backend) {
    Measured measured;
    auto made = io::make_io(backend);
    if (!made.io) give_up("io", made.sentence);
    Loop loop(*made.io, 0);
    {
        Scope scope(loop);
        scope.start(run_engine(loop, what, directory, seconds, measured));
        while (scope.size() > 0) loop.turn(never);
    }
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

io::Backend backend_of(const std::string& name) {
    if (name == "auto") return io::Backend::automatic;
    if (name == "uring") return io::Backend::uring;
    if (name == "epoll") return io::Backend::epoll;
    give_up("usage", "--io is auto, uring or epoll");
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    std::string directory = ".", only;
    auto backend = io::Backend::automatic;
    double seconds = 2;
    int runs = 3;
    for (int i = 1; i < argc; i += 2) {
        std::string name = argv[i];
        if (i + 1 == argc) give_up("usage", name + " needs a value");
        if (name == "--directory") directory = argv[i + 1];
        else if (name == "--seconds") seconds = std::atof(argv[i + 1]);
        else if (name == "--runs") runs = std::max(1, std::atoi(argv[i + 1]));
        else if (name == "--io") backend = backend_of(argv[i + 1]);
        else if (name == "--case") only = argv[i + 1];
        else give_up("usage", "unknown option " + name);
    }
    auto scratch = directory + "/append-bench." + std::to_string(getpid());
    std::printf("%-22s %9s %8s %8s %8s %9s | %8s %8s %8s | %s\n", "", "batches/s", "MB/s", "p50 us", "p99 us", "CPU-s/GB", "MB/s", "p50 us",
                "CPU-s/GB", "of the floor: MB/s, p50, CPU");
    for (auto& what : cases) {
        if (!only.empty() && only != what.name) continue;
        std::vector<double> speed, middle, cpu;
        Measured engine, floor;
        for (int run = 0; run < runs; ++run) {
            floor = measure_floor(what, scratch, seconds);
            engine = measure_engine(what, scratch, seconds, backend);
            speed.push_back(engine.megabytes_per_second() / floor.megabytes_per_second());
            middle.push_back(engine.quantile(0.5) / floor.quantile(0.5));
            cpu.push_back(engine.cpu_per_gigabyte() / floor.cpu_per_gigabyte());
        }
        std::printf("%-22s %9.0f %8.1f %8.0f %8.0f %9.2f | %8.1f %8.0f %8.2f | %.2f %.2f %.2f\n", what.name,
                    double(engine.latencies_us.size()) / engine.seconds, engine.megabytes_per_second(), engine.quantile(0.5),
                    engine.quantile(0.99), engine.cpu_per_gigabyte(), floor.megabytes_per_second(), floor.quantile(0.5),
                    floor.cpu_per_gigabyte(), median(speed), median(middle), median(cpu));
        std::fflush(stdout);
    }
}
