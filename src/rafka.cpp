// The daemon, and the verbs on local files. What belongs to a process and not to a broker is here: files that are read
// before there is a loop, signals, exit codes.

#include "base/log.hpp"
#include "broker/broker.hpp"
#include "command_line.hpp"
#include "engine/dump.hpp"
#include "io/backend.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <mutex>
#include <thread>

namespace rafka {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

Exit exit_of(Errc errc) {
    switch (errc) {
        case Errc::locked: return Exit::locked;
        case Errc::permission:
        case Errc::read_only: return Exit::no_permission;
        case Errc::io_error:
        case Errc::disk_full: return Exit::io_error;
        case Errc::not_found:
        case Errc::invalid_argument: return Exit::config;
        default: return Exit::failure;
    }
}

std::string default_directory() {
    if (const char* state = std::getenv("XDG_STATE_HOME"); state && *state) return fs::path(state) / "rafka";
    if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".local/state/rafka";
    return {};
}

std::string hostname() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
    return name.data();
}

// Reads what the command line names. Objections go to standard error, where an editor finds their places.
std::optional<broker::Config> configure(const CommandLine& line) {
    broker::ConfigInputs inputs;
    inputs.default_directory = default_directory();
    inputs.settings = line.settings;
    for (const auto& path : line.config_files) {
        std::error_code ignored;
        bool is_directory = fs::is_directory(path, ignored);
        errno = 0;
        std::ifstream file(path);
        if (!file || is_directory) {
            std::cerr << path << ": error: cannot be read: " << std::strerror(is_directory ? EISDIR : errno) << "\n";
            return std::nullopt;
        }
        std::string text{std::istreambuf_iterator<char>(file), {}};
        inputs.files.emplace_back(path, std::move(text));
    }
    for (char** variable = environ; *variable; ++variable) {
        std::string_view text(*variable);
        if (auto equals = text.find('='); equals != text.npos) inputs.environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    auto config = broker::read_config(inputs);
    if (config) return *std::move(config);
    for (const auto& error : config.error()) std::cerr << error << "\n";
    return std::nullopt;
}

log::Level level_of(std::string_view name) {
    constexpr std::array<std::string_view, 5> names{"trace", "debug", "info", "warn", "error"};
    return log::Level(std::ranges::find(names, name) - names.begin());
}

io::Backend backend_of(broker::IoBackend backend) {
    switch (backend) {
        case broker::IoBackend::automatic: return io::Backend::automatic;
        case broker::IoBackend::uring: return io::Backend::uring;
        case broker::IoBackend::epoll: return io::Backend::epoll;
    }
    return io::Backend::automatic;
}

// SIGTERM and SIGINT: the first asks for an end, a second one does not wait for it. Made before any other thread.
class StopSignal {
public:
    StopSignal() {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGTERM);
        sigaddset(&signals_, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
        thread_ = std::thread([this] { watch(); });
    }
    ~StopSignal() {
        over_ = true;
        pthread_kill(thread_.native_handle(), SIGTERM);
        thread_.join();
    }
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    // Awaited once, on `loop`: waits for the first signal.
    class [[nodiscard]] Wait {
    public:
        Wait(StopSignal& signal, Loop& loop) : signal_(signal), loop_(loop) {}
        bool await_ready() const { return false; }
        bool await_suspend(std::coroutine_handle<> waiter) {
            std::lock_guard guard(signal_.mutex_);
            if (signal_.asked_) return false;
            signal_.mail_.traveller = waiter;
            signal_.loop_ = &loop_;
            return true;
        }
        void await_resume() const {}

    private:
        StopSignal& signal_;
        Loop& loop_;
    };
    Wait wait(Loop& loop) { return Wait(*this, loop); }

private:
    void watch() {
        for (;;) {
            int signal = 0;
            sigwait(&signals_, &signal);
            if (over_) return;
            std::lock_guard guard(mutex_);
            if (asked_) _exit(int(Exit::failure));
            asked_ = true;
            if (loop_) loop_->post(mail_);
        }
    }

    sigset_t signals_{};
    std::mutex mutex_;
    bool asked_ = false;
    Loop* loop_ = nullptr;
    Mail mail_;
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

// Ten thousand partitions have ten thousand files: as many as the machine's owner allows.
void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// {"PLAINTEXT":"127.0.0.1:41233"}: what clients are told, whole or not at all. Gives what went wrong, if something did.
std::error_code write_ports(const std::string& path, const std::vector<metadata::Endpoint>& endpoints) {
    std::string text;
    for (const auto& endpoint : endpoints) {
        auto address = broker::to_text(endpoint);
        text += fmt::format("{}\"{}\":\"{}\"", text.empty() ? "{" : ",", endpoint.name, address.substr(endpoint.name.size() + 3));
    }
    auto unfinished = path + ".new";
    errno = 0;
    std::ofstream file(unfinished, std::ios::trunc);
    file << text << "}\n";
    file.close();
    std::error_code error(file ? 0 : errno != 0 ? errno : EIO, std::generic_category());
    if (file) fs::rename(unfinished, path, error);
    return error;
}

Task<Exit> serve(io::LoopThreads& loops, broker::Config config, std::string ports_file, Clock::time_point started, StopSignal& stop) {
    std::vector<Loop*> all;
    for (uint32_t i = 0; i < loops.count(); ++i) all.push_back(&loops[i]);
    broker::Broker broker(all, std::move(config), hostname());
    std::string problem;
    auto served = co_await broker.start(&problem);
    if (!served) {
        log::error("{}", problem.empty() ? std::string(to_text(served.error())) : problem);
        co_return exit_of(served.error());
    }
    log::info("cluster: id={}", broker.cluster_id());
    for (size_t i = 0; i < broker.bound().size(); ++i) {
        log::info("listening on {}; clients will be told to connect to {}", broker::to_text(broker.bound()[i]),
                  broker::to_text(broker.advertised()[i]));
    }
    auto exit = Exit::success;
    std::error_code unwritten;
    if (!ports_file.empty()) unwritten = write_ports(ports_file, broker.advertised());
    if (unwritten) {
        log::error("cannot write the ports file {}: {}", ports_file, unwritten.message());
        exit = Exit::cannot_create;
    } else {
        log::info("ready in {} ms", std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started).count());
        co_await stop.wait(broker.home());
        log::info("stopping");
    }
    auto stopped = co_await broker.stop();
    if (!stopped) {
        log::error("the data directory was not closed cleanly: {}", to_text(stopped.error()));
        co_return Exit::io_error;
    }
    log::info("stopped");
    co_return exit;
}

bool make_directory(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) log::error("cannot create the data directory {}: {}; name another with --data, or make it for this user", path, error.message());
    return !error;
}

Exit run_broker(const CommandLine& line, broker::Config config, Clock::time_point started) {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // A file that may not grow is an error of its write.
    raise_file_limit();
    StopSignal stop;
    log::info("rafka " RAFKA_VERSION ": node={} data={}", config.node_id, config.log_directory);
    for (const auto& note : config.notes) log::warn("{}", note);
    if (geteuid() == 0) log::warn("running as root");
    if (!make_directory(config.log_directory)) return Exit::cannot_create;

    auto cores = io::usable_cores();
    auto count = config.loops != 0 ? config.loops : io::default_loop_count(cores);
    io::LoopThreads loops(count, backend_of(config.io_backend), io::default_spin_max(count, cores));
    if (!loops.is_good()) {
        log::error("{}", loops.sentence());
        return Exit::failure;
    }
    log::info("{}; loops={}", loops.sentence(), count);
    return block_on(loops[0], serve(loops, std::move(config), line.ports_file, started, stop));
}

Task<Exit> format(Loop& loop, broker::Config config) {
    metadata::FormatOptions options;
    options.directory = config.log_directory;
    options.node_id = config.node_id;
    options.cluster_id = config.cluster_id;
    options.controller_endpoints = {config.controller};
    std::string problem;
    auto identity = co_await metadata::format_if_needed(loop.io(), std::move(options), &problem);
    if (!identity) {
        log::error("{}", problem.empty() ? std::string(to_text(identity.error())) : problem);
        co_return exit_of(identity.error());
    }
    std::cout << "data directory: " << config.log_directory << "\nnode id: " << identity->node_id << "\ncluster id: " << identity->cluster_id << "\n";
    co_return Exit::success;
}

Task<Exit> dump(Loop& loop, const CommandLine& line) {
    engine::DumpOptions options;
    options.records = line.dump_records || line.dump_contents;
    options.contents = line.dump_contents;
    auto exit = Exit::success;
    for (const auto& path : line.dump_files) {
        engine::PrintLine print = [](std::string_view text) { std::cout << text << "\n"; };
        auto whole = co_await engine::dump(loop.io(), path, options, print);
        if (!whole) std::cerr << "rafka: " << path << ": " << to_text(whole.error()) << "\n";
        if (!whole || !*whole) exit = Exit::failure;
    }
    co_return exit;
}

Exit run(const CommandLine& line, Clock::time_point started) {
    if (line.verb == CommandLine::Verb::dump) {
        io::LoopThreads loops(1, io::Backend::epoll);
        return block_on(loops[0], dump(loops[0], line));
    }
    auto config = configure(line);
    if (!config) return Exit::config;
    log::set_level(level_of(config->log_level));
    if (line.check_config) {
        for (const auto& note : config->notes) std::cout << note << "\n";
        std::cout << "the configuration is fine\n";
        return Exit::success;
    }
    if (line.verb == CommandLine::Verb::serve) return run_broker(line, *std::move(config), started);
    if (!make_directory(config->log_directory)) return Exit::cannot_create;
    io::LoopThreads loops(1, io::Backend::epoll);
    return block_on(loops[0], format(loops[0], *std::move(config)));
}

}  // namespace
}  // namespace rafka

int main(int argc, char** argv) {
    auto started = std::chrono::steady_clock::now();
    auto line = rafka::read_command_line(argc, argv);
    if (line.exit) return *line.exit;
    return int(rafka::run(line, started));
}
