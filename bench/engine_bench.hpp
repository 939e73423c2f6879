#pragma once

// What the benches of the engine measure with: one process that is everything, its CPU time and its clock.

#include "io/backend.hpp"

#include <rafka/engine.hpp>
#include <rafka/loop.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rafka::bench {

struct Measured {
    double seconds = 0, cpu_seconds = 0;
    uint64_t bytes = 0;
    std::vector<double> latencies_us;

    double per_second() const { return double(latencies_us.size()) / seconds; }
    double megabytes_per_second() const { return double(bytes) / seconds / 1e6; }
    double cpu_per_gigabyte() const { return cpu_seconds / (double(bytes) / 1e9); }
    double quantile(double q);
};

[[noreturn]] void give_up(const char* what, const std::string& why);
double now();      // Seconds on the monotonic clock.
double cpu_now();  // Seconds of all threads, kernel workers of a ring included.
double median(std::vector<double> values);

// Options that the benches of the engine share.
struct EngineBench {
    std::string directory = ".";  // Where a scratch directory is made.
    std::string only;             // The one case to run.
    io::Backend backend = io::Backend::automatic;
    double seconds = 2;
    int runs = 3;

    static EngineBench read(int argc, char** argv);
    std::string scratch() const;
};

// An engine over `directory`, and partitions of one topic in it; whatever fails ends the program.
Task<std::unique_ptr<Engine>> open_engine(Loop& loop, std::string directory);
Task<Partition*> open_partition(Engine& engine, int number);
Task<> close_engine(Engine& engine);

// Runs a task on a loop made for it.
void run_on_loop(io::Backend backend, const std::function<Task<>(Loop&)>& task);

}  // namespace rafka::bench
