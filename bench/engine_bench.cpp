#include "engine_bench.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace rafka::bench {
namespace {

io::Backend backend_of(const std::string& name) {
    if (name == "auto") return io::Backend::automatic;
    if (name == "uring") return io::Backend::uring;
    if (name == "epoll") return io::Backend::epoll;
    give_up("usage", "--io is auto, uring or epoll");
}

}  // namespace

double Measured::quantile(double q) {
    if (latencies_us.empty()) return 0;
    auto at = latencies_us.begin() + long(q * double(latencies_us.size() - 1));
    std::nth_element(latencies_us.begin(), at, latencies_us.end());
    return *at;
}

void give_up(const char* what, const std::string& why) {
    std::fprintf(stderr, "bench: %s: %s\n", what, why.c_str());
    std::exit(1);
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double cpu_now() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    auto seconds = [](timeval t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

EngineBench EngineBench::read(int argc, char** argv) {
    EngineBench options;
    for (int i = 1; i < argc; i += 2) {
        std::string name = argv[i];
        if (i + 1 == argc) give_up("usage", name + " needs a value");
        if (name == "--directory") options.directory = argv[i + 1];
        else if (name == "--seconds") options.seconds = std::atof(argv[i + 1]);
        else if (name == "--runs") options.runs = std::max(1, std::atoi(argv[i + 1]));
        else if (name == "--io") options.backend = backend_of(argv[i + 1]);
        else if (name == "--case") options.only = argv[i + 1];
        else give_up("usage", "unknown option " + name);
    }
    return options;
}

std::string EngineBench::scratch() const { return directory + "/rafka-bench." + std::to_string(getpid()); }

Task<std::unique_ptr<Engine>> open_engine(Loop& loop, std::string directory) {
    EngineOptions options;
    options.directory = std::move(directory);
    Loop* loops[] = {&loop};
    auto opened = co_await Engine::open(loops, options);
    if (!opened) give_up("open", std::string(to_text(opened.error())));
    co_return std::move(*opened);
}

Task<Partition*> open_partition(Engine& engine, int number) {
    LogOptions options;
    options.timestamp_before_max_ms = INT64_MAX;
    PartitionKey key;
    key.topic_id.bytes[0] = std::byte{1};
    key.partition = number;
    auto partition = co_await engine.open_partition(key, "bench", options);
    if (!partition) give_up("open partition", std::string(to_text(partition.error())));
    co_return *partition;
}

Task<> close_engine(Engine& engine) {
    auto closed = co_await engine.close(-1);
    if (!closed) give_up("close", std::string(to_text(closed.error())));
}

void run_on_loop(io::Backend backend, const std::function<Task<>(Loop&)>& task) {
    auto made = io::make_io(backend);
    if (!made.io) give_up("io", made.sentence);
    Loop loop(*made.io, 0);
    block_on(loop, task(loop));
}

}  // namespace rafka::bench
