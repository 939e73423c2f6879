#pragma once

// Processes that a benchmark starts and measures: user and system time of all their threads, and resident memory.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rafka::bench {

double cpu_seconds(pid_t pid);      // Of all threads, kernel workers of its rings included.
double user_seconds(pid_t pid);     // The part of it that is not the kernel's.
double user_seconds_of_all();       // Of everything that runs on this machine.
uint64_t resident_bytes(pid_t pid);
void pin_to_core(pid_t pid, int core);  // All threads that exist now; later ones inherit it.

// A child that is ended, and waited for, at the latest with this object.
class Child {
public:
    // `arguments[0]` is the program. Without a core it runs where this process may.
    static Child start(const std::vector<std::string>& arguments, std::optional<int> core = std::nullopt);
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(Child&& from) noexcept : pid_(from.pid_) { from.pid_ = -1; }
    Child& operator=(Child&&) = delete;
    ~Child();

    pid_t pid() const { return pid_; }

private:
    pid_t pid_;
};

}  // namespace rafka::bench
