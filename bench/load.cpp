// bench/load: a whole broker under produce load, beside its floor in the same run: the same client against a server that
// only receives, checks a CRC and answers. Latency is taken from the intended time. The broker's acks are durable
// (acks=all, default configuration).
//
//   load --rafka PATH [--seconds N] [--runs N] [-- extra rafka arguments]
//   load --broker PORT --pid PID ...        against a broker that runs already

#include "load_client.hpp"
#include "process.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace rafka;
using namespace rafka::bench;

constexpr int broker_core = 0, client_core = 1;

struct Case {
    const char* name;
    uint32_t batch_bytes;
    int connections, in_flight;
    double rate;
};
constexpr Case cases[] = {
    {"1 KiB, closed loop, 1 connection", 1024, 1, 1, 0},
    {"1 KiB, 1000/s open loop, 4 connections", 1024, 4, 16, 1000},
    {"1 KiB, closed loop, 32 connections", 1024, 32, 1, 0},
    {"64 KiB, closed loop, 4 connections x 5", 65536, 4, 5, 0},
};

SocketAddress loopback(int port) {
    SocketAddress address;
    address.ip = {127, 0, 0, 1};
    address.port = uint16_t(port);
    return address;
}

struct Measured {
    LoadResult load;
    double cpu = 0;
};

struct Start {
    pid_t pid;
    double cpu;
};

Measured measure(const Case& c, int port, pid_t pid, bool floor, double seconds, const std::string& topic) {
    Load load;
    load.address = loopback(port);
    load.topic = floor ? "" : topic;
    load.batch_bytes = c.batch_bytes;
    load.connections = c.connections;
    load.in_flight = c.in_flight;
    load.requests_per_second = c.rate;
    load.seconds = seconds;
    Start start{pid, 0};
    Measured measured;
    measured.load = run_load(load, [](void* at) {
        auto* s = static_cast<Start*>(at);
        s->cpu = cpu_seconds(s->pid);
    }, &start);
    measured.cpu = cpu_seconds(pid) - start.cpu;
    return measured;
}

void print(const char* who, const Measured& m) {
    if (!m.load.problem.empty()) {
        std::printf("  %-8s failed: %s\n", who, m.load.problem.c_str());
        return;
    }
    std::printf("  %-8s %9.0f req/s %8.1f MB/s  p50 %6u  p99 %6u  p99.9 %6u us  %6.2f CPU-us/req  %5.2f CPU-s/GB\n", who,
                double(m.load.requests) / m.load.seconds, m.load.megabytes_per_second(), m.load.percentile(0.5),
                m.load.percentile(0.99), m.load.percentile(0.999), m.cpu * 1e6 / double(std::max<uint64_t>(1, m.load.requests)),
                m.cpu * 1e9 / double(std::max<uint64_t>(1, m.load.bytes)));
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

Child start_floor(int& port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 128) != 0) std::exit(1);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    pid_t pid = fork();
    if (pid == 0) {
        pin_to_core(getpid(), broker_core);
        serve_floor(fd);
    }
    close(fd);
    return Child(pid);
}

}  // namespace

int main(int argc, char** argv) {
    std::string rafka;
    double seconds = 3;
    std::vector<std::string> extra;
    for (int i = 1; i < argc; ++i) {
        std::string_view name = argv[i];
        if (name == "--rafka" && i + 1 < argc) rafka = argv[++i];
        else if (name == "--seconds" && i + 1 < argc) seconds = std::atof(argv[++i]);
        else if (name == "--") extra.assign(argv + i + 1, argv + argc), i = argc;
        else {
            std::fprintf(stderr, "usage: load --rafka PATH [--seconds N] [-- ARGUMENT...]\n");
            return 2;
        }
    }
    if (rafka.empty()) {
        std::fprintf(stderr, "load: --rafka PATH is needed\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    bool one_core = std::thread::hardware_concurrency() < 2;

    int floor_port = 0;
    auto floor = start_floor(floor_port);
    auto directory = std::filesystem::temp_directory_path() / ("rafka-load-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory);
    auto ports = directory / "ports";
    auto arguments = [&](int port) {
        std::vector<std::string> a{rafka, "--data", (directory / "data").string(), "--listen",
                                   "127.0.0.1:" + std::to_string(port), "--ports-file", ports.string(), "--log-level", "warn"};
        a.insert(a.end(), extra.begin(), extra.end());
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
    auto broker = Child::start(arguments(0), broker_core);
    int port = wait_for_port(ports);
    if (port == 0) {
        std::fprintf(stderr, "load: the broker did not start\n");
        return 1;
    }
    if (!one_core) pin_to_core(getpid(), client_core);
    bool failed = false;
    std::printf("produce, acks=all, durable; broker on core %d, client on core %d\n", broker_core, one_core ? 0 : client_core);
    int number = 0;
    for (auto& c : cases) {
        std::printf("%s\n", c.name);
        auto at_floor = measure(c, floor_port, floor.pid(), true, seconds, "");
        auto at_broker = measure(c, port, broker.pid(), false, seconds, "load-" + std::to_string(number++));
        print("floor", at_floor);
        print("rafka", at_broker);
        failed |= !at_broker.load.problem.empty();
        std::printf("  ratio    %9.2f req/s  p50 %.1fx  p99 %.1fx  CPU/req %.1fx\n",
                    double(at_broker.load.requests) / double(std::max<uint64_t>(1, at_floor.load.requests)),
                    double(at_broker.load.percentile(0.5)) / std::max(1u, at_floor.load.percentile(0.5)),
                    double(at_broker.load.percentile(0.99)) / std::max(1u, at_floor.load.percentile(0.99)),
                    at_broker.cpu / double(std::max<uint64_t>(1, at_broker.load.requests)) /
                        std::max(1e-9, at_floor.cpu / double(std::max<uint64_t>(1, at_floor.load.requests))));
    }
    std::printf("RSS after the load: %.1f MiB\n", double(resident_bytes(broker.pid())) / 1048576);
    { auto ended = std::move(broker); }
    std::filesystem::remove_all(directory);
    return failed ? 1 : 0;
}
