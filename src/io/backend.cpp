#include "io/backend.hpp"

#include "io/epoll.hpp"
#include "io/uring.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace rafka::io {
namespace {

// The first line of a small file of /proc or /sys; empty if it is not there.
std::string first_line(const char* path) {
    std::string line;
    if (auto* file = std::fopen(path, "re")) {
        char text[256];
        if (std::fgets(text, sizeof text, file)) line = text;
        std::fclose(file);
    }
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
    return line;
}

std::string kernel_release() {
    utsname name;
    return uname(&name) == 0 ? name.release : "unknown";
}

bool kernel_at_least(int major, int minor) {
    int has_major = 0, has_minor = 0;
    if (std::sscanf(kernel_release().c_str(), "%d.%d", &has_major, &has_minor) != 2) return false;
    return has_major != major ? has_major > major : has_minor >= minor;
}

std::string memory_lock_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur / 1024) + " KiB";
}

// Of a group's cpu.max ("max 100000", "150000 100000"): whole cores, 0 for no limit.
uint32_t quota_of(const std::string& text) {
    long quota = 0, period = 0;
    if (std::sscanf(text.c_str(), "%ld %ld", &quota, &period) != 2 || quota <= 0 || period <= 0) return 0;
    return uint32_t(std::max(1L, quota / period));
}

}  // namespace

std::string uring_refusal(int error) {
    switch (error) {
        case ENOSYS:
            if (kernel_at_least(5, 1)) {
                return "io_uring is hidden by a seccomp filter or left out of kernel " + kernel_release() + " (ENOSYS)";
            }
            return "kernel " + kernel_release() + " has no io_uring (ENOSYS); Linux 6.1 or newer is needed";
        case EPERM: {
            auto disabled = first_line("/proc/sys/kernel/io_uring_disabled");
            if (disabled == "2") return "io_uring is disabled by the sysctl kernel.io_uring_disabled=2 (EPERM)";
            if (disabled == "1") {
                return "io_uring is disabled by the sysctl kernel.io_uring_disabled=1 for users outside of "
                       "kernel.io_uring_group (EPERM)";
            }
            return "io_uring is denied by a seccomp filter (EPERM), as container runtimes do by default";
        }
        case EACCES: return "io_uring is denied by a security module (EACCES)";
        case EINVAL:
            return "io_uring of kernel " + kernel_release() + " is too old (EINVAL); Linux 6.1 or newer is needed";
        case ENOMEM:
            return "io_uring finds no lockable memory (ENOMEM): the limit is " + memory_lock_limit() +
                   "; raise ulimit -l, LimitMEMLOCK= or docker --ulimit memlock";
        case EMFILE: case ENFILE: return "io_uring finds no free file descriptor; raise ulimit -n or LimitNOFILE=";
        default: return std::string("io_uring cannot be used: ") + std::strerror(error);
    }
}

std::string probe_uring() {
    int error = 0;
    return Uring::open(error, 8) ? std::string() : uring_refusal(error);
}

MadeIo make_io(Backend wanted) {
    MadeIo made;
    std::string refusal;
    if (wanted != Backend::epoll) {
        int error = 0;
        made.io = Uring::open(error);
        if (made.io) {
            made.chosen = Backend::uring;
            made.sentence = "I/O by io_uring";
            return made;
        }
        refusal = uring_refusal(error);
        if (wanted == Backend::uring) {
            made.chosen = Backend::uring;
            made.sentence = std::move(refusal);
            return made;
        }
    }
    made.io = std::make_unique<Epoll>();
    made.chosen = Backend::epoll;
    made.sentence = refusal.empty() ? "I/O by epoll and threads" : "I/O by epoll and threads: " + refusal;
    return made;
}

uint32_t usable_cores() {
    cpu_set_t set;
    uint32_t cores = 0;
    if (sched_getaffinity(0, sizeof set, &set) == 0) cores = uint32_t(CPU_COUNT(&set));
    if (cores == 0) cores = std::max(1u, std::thread::hardware_concurrency());
    // In a container the group's own files are at the root of its view.
    if (auto quota = quota_of(first_line("/sys/fs/cgroup/cpu.max")); quota > 0) cores = std::min(cores, quota);
    return cores;
}

uint32_t default_loop_count(uint32_t cores) { return cores <= 2 ? 1 : cores - 1; }

Duration default_spin_max(uint32_t loop_count, uint32_t cores) {
    // One core must be left for what completes the operations: softirq, the device's threads, clients.
    return loop_count < cores ? std::chrono::microseconds(50) : Duration{};
}

}  // namespace rafka::io
