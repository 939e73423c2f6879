#include "base/log.hpp"

#include "base/assert.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace rafka {

void assert_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "assertion failed: %s at %s:%d\n", condition, file, line);
    std::abort();
}

namespace log {
namespace {

std::atomic<Level> level_{Level::info};
std::atomic<Sink> sink_{nullptr};

spdlog::level::level_enum to_spdlog(Level level) { return spdlog::level::level_enum(int(level)); }

spdlog::logger& logger() {
    static auto instance = [] {
        auto made = std::make_shared<spdlog::logger>("rafka", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
        made->set_level(spdlog::level::trace);
        made->flush_on(spdlog::level::trace);
        return made;
    }();
    return *instance;
}

}  // namespace

void set_level(Level level) { level_.store(level, std::memory_order_relaxed); }
Level level() { return level_.load(std::memory_order_relaxed); }
bool enabled(Level level) { return level >= level_.load(std::memory_order_relaxed); }
void set_sink(Sink sink) { sink_.store(sink); }

void write(Level level, std::string_view line) {
    if (auto sink = sink_.load()) return sink(level, line);
    logger().log(to_spdlog(level), "{}", line);
}

}  // namespace log
}  // namespace rafka
