#pragma once

// What to say when a story goes wrong: the rule that was broken, and the command that plays it again. Also printed when
// an assertion or a sanitizer ends the process.

#include <spdlog/fmt/fmt.h>

#include <string>

namespace rafka::world {

// For as long as it lives, a violation or a crash of this process prints the command.
class Repeat {
public:
    explicit Repeat(std::string command);
    ~Repeat();
    Repeat(const Repeat&) = delete;
    Repeat& operator=(const Repeat&) = delete;
};

[[noreturn]] void violation(const std::string& text);

template <class... Args>
void require(bool condition, fmt::format_string<Args...> text, Args&&... args) {
    if (!condition) [[unlikely]] violation(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace rafka::world
