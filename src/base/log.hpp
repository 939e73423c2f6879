#pragma once

// Log lines: message first, then facts: log::warn("segment truncated: partition={} offset={}", ...). One line per event,
// where it is handled. What a peer can cause goes through a Limiter.

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace rafka::log {

enum class Level : uint8_t { trace, debug, info, warn, error, off };

void set_level(Level level);
Level level();
bool enabled(Level level);
// Where lines go. An embedder gives a function of its own; nullptr is standard error.
using Sink = void (*)(Level level, std::string_view line);
void set_sink(Sink sink);
void write(Level level, std::string_view line);

template <class... Args>
void trace(fmt::format_string<Args...> text, Args&&... args) {
    if (enabled(Level::trace)) write(Level::trace, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
    if (enabled(Level::debug)) write(Level::debug, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
    if (enabled(Level::info)) write(Level::info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> text, Args&&... args) {
    if (enabled(Level::warn)) write(Level::warn, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> text, Args&&... args) {
    if (enabled(Level::error)) write(Level::error, fmt::format(text, std::forward<Args>(args)...));
}

// Lets a few lines through per interval and counts the rest. Time is passed in, so that a test can play it.
class Limiter {
public:
    explicit Limiter(uint32_t lines_max, std::chrono::nanoseconds interval) : lines_max_(lines_max), interval_(interval) {}

    // True if a line may be written now. `suppressed` is then how many were held back since the last one.
    bool allow(std::chrono::nanoseconds now, uint64_t& suppressed) {
        if (now - since_ >= interval_) { since_ = now; lines_ = 0; }
        if (lines_ >= lines_max_) { ++suppressed_; return false; }
        ++lines_;
        suppressed = suppressed_;
        suppressed_ = 0;
        return true;
    }

private:
    uint32_t lines_max_;
    std::chrono::nanoseconds interval_;
    std::chrono::nanoseconds since_{-interval_};
    uint32_t lines_ = 0;
    uint64_t suppressed_ = 0;
};

}  // namespace rafka::log
