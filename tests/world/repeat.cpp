#include "world/repeat.hpp"

#include "base/log.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <unistd.h>

#ifdef RAFKA_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace rafka::world {
namespace {

char command_line[256];

void print_command() {
    if (command_line[0] == '\0') return;
    static constexpr char before[] = "play it again with: ";
    (void)!::write(2, before, sizeof before - 1);
    (void)!::write(2, command_line, std::strlen(command_line));
    (void)!::write(2, "\n", 1);
}

void on_abort(int) {
    print_command();
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
}

}  // namespace

Repeat::Repeat(std::string command) {
    std::snprintf(command_line, sizeof command_line, "%s", command.c_str());
    std::signal(SIGABRT, on_abort);
#ifdef RAFKA_ASAN
    __sanitizer_set_death_callback(print_command);
#endif
}

Repeat::~Repeat() { command_line[0] = '\0'; }

Seeds::Seeds(int argc, char** argv, uint64_t usual) : count(usual), program(argv[0]) {
    for (int i = 1; i < argc; i += 2) {
        std::string_view name = argv[i];
        auto value = i + 1 < argc ? std::strtoull(argv[i + 1], nullptr, 10) : 0;
        if (name == "--seed" && value) first = value;
        else if (name == "--seeds" && value) count = value;
        else {
            fmt::print(stderr, "usage: {} [--seed FIRST] [--seeds COUNT]\n", program);
            std::exit(2);
        }
    }
    log::set_level(count == 1 ? log::Level::debug : log::Level::off);
}

void violation(const std::string& text) {
    std::fflush(stdout);
    std::fprintf(stderr, "violation: %s\n", text.c_str());
    std::abort();
}

}  // namespace rafka::world
