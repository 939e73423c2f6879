#include "process.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace rafka::bench {

namespace {

struct Times {
    double user = 0, system = 0;
};

Times times_of(pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(in)), {});
    auto after = text.rfind(')');  // The name may contain anything.
    if (after == std::string::npos) return {};
    std::istringstream fields(text.substr(after + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    Times ticks;
    fields >> ticks.user >> ticks.system;
    auto per_second = double(sysconf(_SC_CLK_TCK));
    return {ticks.user / per_second, ticks.system / per_second};
}

}  // namespace

double cpu_seconds(pid_t pid) {
    auto times = times_of(pid);
    return times.user + times.system;
}

double user_seconds(pid_t pid) { return times_of(pid).user; }

double user_seconds_of_all() {
    std::ifstream in("/proc/stat");
    std::string name;
    double user = 0, nice = 0;
    in >> name >> user >> nice;
    return (user + nice) / double(sysconf(_SC_CLK_TCK));
}

uint64_t resident_bytes(pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/statm");
    uint64_t total = 0, resident = 0;
    in >> total >> resident;
    return resident * uint64_t(sysconf(_SC_PAGESIZE));
}

void pin_to_core(pid_t pid, int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(size_t(core), &set);
    std::error_code ignored;
    for (auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", ignored)) {
        sched_setaffinity(pid_t(std::stol(thread.path().filename())), sizeof set, &set);
    }
}

Child Child::start(const std::vector<std::string>& arguments, std::optional<int> core) {
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_t pid = fork();
    if (pid == 0) {
        if (core) pin_to_core(getpid(), *core);
        execvp(argv[0], argv.data());
        std::perror(argv[0]);
        _exit(127);
    }
    return Child(pid);
}

Child::~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    for (int i = 0; i < 3000; ++i) {
        if (waitpid(pid_, nullptr, WNOHANG) == pid_) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

}  // namespace rafka::bench
