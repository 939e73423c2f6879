#pragma once

// Stories from seeds, each played twice; and what to say when one goes wrong: the rule that was broken, and the command
// that plays it again. Also printed when an assertion or a sanitizer ends the process.

#include <spdlog/fmt/fmt.h>

#include <cstdint>
#include <cstdio>
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

// The command line of a program that plays stories, as `NAME [--seed FIRST] [--seeds COUNT]`. Anything else ends it.
struct Seeds {
    uint64_t first = 1;
    uint64_t count = 0;
    std::string program;

    Seeds(int argc, char** argv, uint64_t count);
};

// Plays each seed's story twice and requires equal traces; then says what the first round saw. Returns the exit code: 1
// if so many seeds as usual did not look everywhere.
template <class Coverage>
int play(const Seeds& seeds, uint64_t usual, uint64_t (*story)(uint64_t seed, Coverage& coverage)) {
    Coverage coverage, again;
    for (auto seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
        Repeat repeat(fmt::format("{} --seed {} --seeds 1", seeds.program, seed));
        auto trace = story(seed, coverage);
        auto second = story(seed, again);
        require(trace == second, "seed {} has two stories", seed);
    }
    coverage.print();
    if (seeds.count >= usual && !coverage.looked_everywhere()) {
        fmt::print(stderr, "some of the above never happened: the stories do not look where they should\n");
        return 1;
    }
    fmt::print("{} seeds from {} on, each played twice: no violation\n", seeds.count, seeds.first);
    return 0;
}

}  // namespace rafka::world
