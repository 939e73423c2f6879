// bench/measure: one measurement of a broker that runs, or the start of one, as one line of JSON. bench/vs_kafka asks it.
//
//   measure produce|consume --port N --pid N --topic TEXT [OPTION VALUE]...
//   measure create --port N --topic TEXT [--partitions N] [--config KEY=VALUE]...
//   measure delete --port N --topic TEXT
//   measure start --port N [--settle SECONDS] -- PROGRAM [ARGUMENT]...
//   measure floor --core N                    prints its port and pid, and serves until it is ended
//
// CPU time is the user and system time of all threads of --pid; "strangers" is the share of a core that everybody but that
// process and this one took. `start` runs the program until it has answered a Metadata
// request, and ends it.

#include "client.hpp"
#include "floor.hpp"
#include "process.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace rafka;
using namespace rafka::bench;

struct Arguments {
    std::string verb;
    std::map<std::string, std::string> values;
    TopicConfigs configs;
    std::vector<std::string> command;

    bool has(const std::string& name) const { return values.contains(name); }
    std::string text(const std::string& name) const { return has(name) ? values.at(name) : std::string(); }
    double number(const std::string& name, double otherwise) const { return has(name) ? std::atof(values.at(name).c_str()) : otherwise; }
};

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "measure: %s\n", why.c_str());
    std::exit(2);
}

Arguments read_arguments(int argc, char** argv) {
    Arguments arguments;
    if (argc < 2) give_up("which? produce, consume, create, delete, start or floor");
    arguments.verb = argv[1];
    for (int i = 2; i < argc; ++i) {
        std::string name = argv[i];
        if (name == "--") {
            arguments.command.assign(argv + i + 1, argv + argc);
            break;
        }
        if (!name.starts_with("--")) give_up("not an option: " + name);
        if (name == "--once") {
            arguments.values[name] = "1";
            continue;
        }
        if (i + 1 == argc) give_up(name + " needs a value");
        std::string value = argv[++i];
        auto equals = value.find('=');
        if (name == "--config" && equals != std::string::npos) arguments.configs.emplace_back(value.substr(0, equals), value.substr(equals + 1));
        else arguments.values[name] = value;
    }
    return arguments;
}

// The share of one core that programs took which have no part in the measurement: it should be next to nothing.
class Strangers {
public:
    explicit Strangers(pid_t measured) : measured_(measured) {}
    double share() const {
        auto passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
        return (user() - before_) / passed;
    }

private:
    double user() const { return user_seconds_of_all() - user_seconds(measured_) - user_seconds(getpid()); }

    pid_t measured_;
    double before_ = user();
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

int print(const LoadResult& r, const Strangers& strangers) {
    std::printf("{\"requests\": %llu, \"bytes\": %llu, \"seconds\": %.6f, \"cpu_seconds\": %.4f, \"unanswered\": %llu, \"latencies\": %zu, "
                "\"p50\": %u, \"p90\": %u, \"p99\": %u, \"p999\": %u, \"max\": %u, \"strangers\": %.3f, \"problem\": \"%s\"}\n",
                static_cast<unsigned long long>(r.requests), static_cast<unsigned long long>(r.bytes), r.seconds, r.cpu_seconds,
                static_cast<unsigned long long>(r.unanswered), r.micros.size(), r.percentile(0.5), r.percentile(0.9), r.percentile(0.99),
                r.percentile(0.999), r.percentile(1), strangers.share(), r.problem.c_str());
    return r.problem.empty() ? 0 : 1;
}

int say(const std::string& problem) {
    std::printf("{\"problem\": \"%s\"}\n", problem.c_str());
    return problem.empty() ? 0 : 1;
}

int measure_produce(const Arguments& a, const SocketAddress& address) {
    Load load;
    load.address = address;
    load.topic = a.text("--topic");
    load.partitions = int32_t(a.number("--partitions", 1));
    load.batch_bytes = uint32_t(a.number("--batch-bytes", 1024));
    load.connections = int(a.number("--connections", 1));
    load.in_flight = int(a.number("--in-flight", 1));
    load.requests_per_second = a.number("--rate", 0);
    load.seconds = a.number("--seconds", 5);
    load.warmup_seconds = a.number("--warmup", 1);
    load.requests_max = uint64_t(a.number("--requests", 0));
    auto pid = pid_t(a.number("--pid", 0));
    load.cpu = [pid] { return cpu_seconds(pid); };
    Strangers strangers(pid);
    auto result = produce(load);
    return print(result, strangers);
}

int measure_consume(const Arguments& a, const SocketAddress& address) {
    Consume wanted;
    wanted.address = address;
    wanted.topic = a.text("--topic");
    wanted.connections = int(a.number("--connections", 1));
    wanted.seconds = a.number("--seconds", 5);
    wanted.warmup_seconds = a.number("--warmup", 1);
    wanted.once = a.has("--once");
    auto pid = pid_t(a.number("--pid", 0));
    wanted.cpu = [pid] { return cpu_seconds(pid); };
    Strangers strangers(pid);
    auto result = consume(wanted);
    return print(result, strangers);
}

int measure_start(const Arguments& a, const SocketAddress& address) {
    if (a.command.empty()) give_up("start needs -- PROGRAM");
    double seconds = 0;
    uint64_t resident = 0;
    {
        auto child = Child::start(a.command);
        seconds = seconds_to_first_metadata(address, 60);
        std::this_thread::sleep_for(std::chrono::duration<double>(a.number("--settle", 0)));
        resident = resident_bytes(child.pid());
    }
    std::printf("{\"seconds\": %.6f, \"resident_bytes\": %llu, \"problem\": \"%s\"}\n", seconds, static_cast<unsigned long long>(resident),
                seconds < 0 ? "no answer within a minute" : "");
    return seconds < 0 ? 1 : 0;
}

int serve_floor(const Arguments& a) {
    int port = 0;
    auto floor = start_floor(int(a.number("--core", 0)), port);
    std::printf("{\"port\": %d, \"pid\": %d}\n", port, int(floor.pid()));
    std::fflush(stdout);
    char ended;
    while (read(STDIN_FILENO, &ended, 1) > 0) {}  // Until whoever started us closes it.
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    signal(SIGPIPE, SIG_IGN);
    auto arguments = read_arguments(argc, argv);
    auto address = loopback(int(arguments.number("--port", 0)));
    auto& verb = arguments.verb;
    if (verb == "produce") return measure_produce(arguments, address);
    if (verb == "consume") return measure_consume(arguments, address);
    if (verb == "create") return say(create(address, arguments.text("--topic"), int32_t(arguments.number("--partitions", 1)), arguments.configs));
    if (verb == "delete") return say(remove(address, arguments.text("--topic")));
    if (verb == "start") return measure_start(arguments, address);
    if (verb == "floor") return serve_floor(arguments);
    give_up("unknown: " + verb);
}
