#pragma once

// The command line of `rafka`. CLI11 stays in the source beside this, because it is slow to compile.

#include "broker/config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rafka {

// Exit codes, sysexits where scripts benefit.
enum class Exit : int {
    success = 0, failure = 1, usage = 2, cannot_create = 73, io_error = 74, locked = 75, no_permission = 77, config = 78
};

struct CommandLine {
    enum class Verb : uint8_t { serve, format, dump };
    Verb verb = Verb::serve;
    std::vector<std::string> config_files;
    std::vector<broker::ConfigInputs::Setting> settings;
    std::string ports_file;
    bool check_config = false;
    std::vector<std::string> dump_files;
    bool dump_records = false;
    bool dump_contents = false;
    std::optional<int> exit;  // The command line is answered already: help, version, or a mistake in it.

    CommandLine() {}
};

CommandLine read_command_line(int argc, char** argv);

}  // namespace rafka
