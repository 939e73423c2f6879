#include "command_line.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace rafka {
namespace {

using Settings = std::vector<broker::ConfigInputs::Setting>;

// An option that is another name for a config key. Given more than once it makes a list.
void alias(CLI::App& app, Settings& settings, const std::string& option, const std::string& key, const std::string& value,
           const std::string& text) {
    auto take = [&settings, option, key](const std::vector<std::string>& values) {
        std::string joined;
        for (const auto& one : values) joined += (joined.empty() ? "" : ",") + one;
        settings.push_back({option, key, joined});
        return true;
    };
    app.add_option(option, CLI::callback_t(take), text + " (" + key + ")")->type_name(value)->type_size(1)->allow_extra_args(false)->expected(1, 100);
}

void add_config_options(CLI::App& app, CommandLine& line) {
    app.add_option("-c,--config", line.config_files, "Reads a config file; a later one wins")->type_name("FILE")->allow_extra_args(false);
    auto define = [&line](const std::vector<std::string>& values) {
        for (const auto& value : values) {
            auto equals = value.find('=');
            if (equals == std::string::npos) return false;
            line.settings.push_back({"-D", value.substr(0, equals), value.substr(equals + 1)});
        }
        return true;
    };
    app.add_option("-D,--define", CLI::callback_t(define), "Sets any config key")->type_name("KEY=VALUE")->type_size(1)
        ->allow_extra_args(false)->expected(1, 1000);
    alias(app, line.settings, "--data", "log.dirs", "DIR", "The data directory");
    alias(app, line.settings, "--node-id", "node.id", "N", "The number of this node");
    alias(app, line.settings, "--cluster-id", "rafka.cluster.id", "ID", "The id of a cluster that is begun");
    alias(app, line.settings, "--log-level", "rafka.log.level", "LEVEL", "trace, debug, info, warn or error");
}

void add_serve_options(CLI::App& app, CommandLine& line) {
    alias(app, line.settings, "--listen", "listeners", "ADDR", "An address to listen on, [NAME://]HOST:PORT");
    alias(app, line.settings, "--advertise", "advertised.listeners", "ADDR", "An address that clients are told");
    alias(app, line.settings, "--io-backend", "rafka.io.backend", "BACKEND", "auto, uring or epoll");
    alias(app, line.settings, "--loops", "rafka.loops", "N", "The number of event loops");
    app.add_option("--ports-file", line.ports_file, "Writes the bound ports there once ready, as JSON")->type_name("FILE");
    app.add_flag("-t,--check-config", line.check_config, "Checks the configuration and exits");
}

}  // namespace

CommandLine read_command_line(int argc, char** argv) {
    CommandLine line;
    CLI::App app("A Kafka-compatible broker.", "rafka");
    app.set_version_flag("-V,--version", std::string("rafka " RAFKA_VERSION));
    app.set_help_flag("-h,--help", "Prints this help and exits");
    app.get_formatter()->column_width(36);
    app.require_subcommand(0, 1);
    add_config_options(app, line);
    add_serve_options(app, line);

    auto* serve = app.add_subcommand("serve", "Runs the broker; the same as no command");
    add_config_options(*serve, line);
    add_serve_options(*serve, line);
    auto* format = app.add_subcommand("format", "Sets up a data directory without serving");
    add_config_options(*format, line);
    auto* dump = app.add_subcommand("dump", "Shows what segments, indexes and checkpoints hold");
    dump->add_option("FILE", line.dump_files, "Files, or directories of partitions")->required();
    dump->add_flag("--records", line.dump_records, "Shows records too, not only batches");
    dump->add_flag("--contents", line.dump_contents, "Shows records with their keys and values");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        int code = app.exit(error, std::cout, std::cerr);
        line.exit = code == 0 ? int(Exit::success) : int(Exit::usage);
        return line;
    }
    if (format->parsed()) line.verb = CommandLine::Verb::format;
    if (dump->parsed()) line.verb = CommandLine::Verb::dump;
    return line;
}

}  // namespace rafka
