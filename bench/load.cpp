// bench/load: a whole broker under load, beside its floor in the same run: the same client against a server that only
// receives, checks a CRC and answers, or only sends what lies ready. Times run from when a request was meant to be sent
// (load_client.hpp). The broker's acks are durable (acks=all, default configuration). Consumers read the tail, which is
// in memory, and a log of which the tail is a small part.
//
//   load --rafka PATH [--seconds N] [--directory PATH] [-- extra rafka arguments]

#include "client.hpp"
#include "floor.hpp"
#include "process.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace rafka;
using namespace rafka::bench;

constexpr int broker_core = 0, client_core = 1;

struct Produced {
    const char* name;
    uint32_t batch_bytes;
    int connections, in_flight;
    double rate;
};
constexpr Produced produced[] = {
    {"1 KiB, closed loop, 1 connection", 1024, 1, 1, 0},
    {"1 KiB, 1000/s open loop, 4 connections", 1024, 4, 16, 1000},
    {"1 KiB, closed loop, 32 connections", 1024, 32, 1, 0},
    {"64 KiB, closed loop, 4 connections x 5", 65536, 4, 5, 0},
};

struct Consumed {
    const char* name;
    uint64_t batches;  // Of 64 KiB, written first.
    int connections;
};
constexpr Consumed consumed[] = {
    {"tail, 1 consumer", 256, 1},
    {"tail, 10 consumers", 256, 10},
    {"cold, 1 consumer", 16384, 1},
};

struct Options {
    std::string rafka;
    std::string directory = std::filesystem::temp_directory_path();
    double seconds = 3;
    std::vector<std::string> extra;
};

// Whom a load goes to.
struct Side {
    const char* name;
    SocketAddress address;
    pid_t pid;

    std::function<double()> cpu() const { return [pid = pid] { return cpu_seconds(pid); }; }
};

void print(const Side& side, const LoadResult& r) {
    if (!r.problem.empty()) {
        std::printf("  %-8s failed: %s\n", side.name, r.problem.c_str());
        return;
    }
    std::printf("  %-8s %9.0f req/s %8.1f MB/s  p50 %6u  p99 %6u  p99.9 %6u us  %6.2f CPU-us/req  %5.2f CPU-s/GB\n", side.name,
                double(r.requests) / r.seconds, r.megabytes_per_second(), r.percentile(0.5), r.percentile(0.99), r.percentile(0.999),
                r.cpu_micros_per_request(), r.cpu_per_gigabyte());
    if (r.unanswered > 0) std::printf("  %-8s %9llu requests were given up\n", "", static_cast<unsigned long long>(r.unanswered));
}

void compare(const LoadResult& broker, const LoadResult& floor) {
    auto ratio = [](double a, double b) { return b > 0 ? a / b : 0; };
    std::printf("  ratio    %9.2f MB/s   p50 %.1fx  p99 %.1fx  CPU/req %.1fx\n", ratio(broker.megabytes_per_second(), floor.megabytes_per_second()),
                ratio(broker.percentile(0.5), floor.percentile(0.5)), ratio(broker.percentile(0.99), floor.percentile(0.99)),
                ratio(broker.cpu_micros_per_request(), floor.cpu_micros_per_request()));
}

bool measure(const Produced& c, const Side& floor, const Side& broker, double seconds) {
    std::printf("produce %s\n", c.name);
    LoadResult results[2];
    auto problem = create(broker.address, "produced", 1);
    for (auto* side : {&floor, &broker}) {
        Load load;
        load.address = side->address;
        load.topic = side == &floor ? "" : "produced";
        load.batch_bytes = c.batch_bytes;
        load.connections = c.connections;
        load.in_flight = c.in_flight;
        load.requests_per_second = c.rate;
        load.seconds = seconds;
        load.cpu = side->cpu();
        auto& result = results[side == &broker];
        if (problem.empty()) result = produce(load);
        else result.problem = problem;
        print(*side, result);
    }
    compare(results[1], results[0]);
    if (problem.empty()) problem = remove(broker.address, "produced");
    return results[1].problem.empty() && problem.empty();
}

bool measure(const Consumed& c, const Side& floor, const Side& broker, double seconds) {
    std::printf("consume %s\n", c.name);
    Load fill;
    fill.address = broker.address;
    fill.topic = "consumed";
    fill.batch_bytes = 65536;
    fill.connections = 1;
    fill.in_flight = 8;
    fill.seconds = 600;
    fill.requests_max = c.batches;
    auto problem = create(broker.address, "consumed", 1);
    if (problem.empty()) problem = produce(fill).problem;
    LoadResult results[2];
    for (auto* side : {&floor, &broker}) {
        Consume wanted;
        wanted.address = side->address;
        wanted.topic = side == &floor ? "" : "consumed";
        wanted.connections = c.connections;
        wanted.seconds = seconds;
        wanted.cpu = side->cpu();
        auto& result = results[side == &broker];
        if (problem.empty()) result = consume(wanted);
        else result.problem = problem;
        print(*side, result);
    }
    compare(results[1], results[0]);
    if (problem.empty()) problem = remove(broker.address, "consumed");
    return results[1].problem.empty() && problem.empty();
}

int wait_for_port(const std::filesystem::path& file) {
    for (int i = 0; i < 2000; ++i) {
        std::ifstream in(file);
        std::string text((std::istreambuf_iterator<char>(in)), {});
        if (auto at = text.rfind(':'); at != std::string::npos) return std::atoi(text.c_str() + at + 1);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return 0;
}

int free_port() {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) std::exit(1);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    close(fd);
    return ntohs(address.sin_port);
}

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        std::string_view name = argv[i];
        if (name == "--rafka" && i + 1 < argc) options.rafka = argv[++i];
        else if (name == "--seconds" && i + 1 < argc) options.seconds = std::atof(argv[++i]);
        else if (name == "--directory" && i + 1 < argc) options.directory = argv[++i];
        else if (name == "--") options.extra.assign(argv + i + 1, argv + argc), i = argc;
        else {
            std::fprintf(stderr, "usage: load --rafka PATH [--seconds N] [--directory PATH] [-- ARGUMENT...]\n");
            std::exit(2);
        }
    }
    if (options.rafka.empty()) {
        std::fprintf(stderr, "load: --rafka PATH is needed\n");
        std::exit(2);
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    auto options = read_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    bool one_core = std::thread::hardware_concurrency() < 2;

    int floor_port = 0;
    auto floor = start_floor(broker_core, floor_port);
    auto directory = std::filesystem::path(options.directory) / ("rafka-load-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory);
    auto ports = directory / "ports";
    auto arguments = [&](int port) {
        std::vector<std::string> a{options.rafka, "--data", (directory / "data").string(), "--listen",
                                   "127.0.0.1:" + std::to_string(port), "--ports-file", ports.string(), "--log-level", "warn"};
        a.insert(a.end(), options.extra.begin(), options.extra.end());
        return a;
    };

    std::printf("time from exec to the first answered Metadata\n");
    for (const char* what : {"first start, formats", "second start", "third start"}) {
        auto port = free_port();
        auto broker = Child::start(arguments(port), broker_core);
        auto time = seconds_to_first_metadata(loopback(port), 10);
        std::printf("  %-22s %6.1f ms   RSS %5.1f MiB\n", what, time * 1e3, double(resident_bytes(broker.pid())) / 1048576);
    }

    std::filesystem::remove(ports);
    bool good = true;
    {
        auto broker = Child::start(arguments(0), broker_core);
        int port = wait_for_port(ports);
        if (port == 0) {
            std::fprintf(stderr, "load: the broker did not start\n");
            return 1;
        }
        if (!one_core) pin_to_core(getpid(), client_core);
        Side floor_side{"floor", loopback(floor_port), floor.pid()}, broker_side{"rafka", loopback(port), broker.pid()};
        std::printf("acks=all, durable; broker on core %d, client on core %d\n", broker_core, one_core ? 0 : client_core);
        for (auto& c : produced) good &= measure(c, floor_side, broker_side, options.seconds);
        for (auto& c : consumed) good &= measure(c, floor_side, broker_side, options.seconds);
        std::printf("RSS after the load: %.1f MiB\n", double(resident_bytes(broker.pid())) / 1048576);
    }
    std::filesystem::remove_all(directory);
    return good ? 0 : 1;
}
