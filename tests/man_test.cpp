// Holds the manual against the program: every option of --help, every key of the config table, and mandoc's own taste.
// usage: man_test RAFKA MANDOC ROOT

#include "metadata/config_table.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace rafka::metadata;

namespace {

int objections = 0;

void object(const std::string& sentence) {
    std::cout << sentence << "\n";
    ++objections;
}

std::string output_of(const std::string& command) {
    std::string out;
    auto* pipe = popen(command.c_str(), "r");
    if (!pipe) return out;
    char buffer[4096];
    for (size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
    pclose(pipe);
    return out;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> all_of(const std::string& text, const std::string& pattern) {
    std::regex expression(pattern);
    std::set<std::string> out;
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) out.insert((*at)[1]);
    return out;
}

void compare(const std::string& what, const std::set<std::string>& program, const std::set<std::string>& manual) {
    if (program.empty()) object(what + ": none found, so nothing is compared");
    for (const auto& name : program) if (!manual.contains(name)) object(what + ": the manual lacks " + name);
    for (const auto& name : manual) if (!program.contains(name)) object(what + ": only the manual has " + name);
}

std::string_view type_name(ConfigType type) {
    switch (type) {
        case ConfigType::boolean: return "boolean";
        case ConfigType::int16:
        case ConfigType::int32:
        case ConfigType::int64: return "integer";
        case ConfigType::real: return "number";
        case ConfigType::list: return "list";
        default: return "text";
    }
}

std::string limits(const ConfigCheck& check) {
    auto number = [](int64_t value) { return std::to_string(value); };
    std::string choices;
    for (const auto& choice : split_list(check.choices)) choices += (choices.empty() ? "" : ", ") + choice;
    switch (check.kind) {
        case ConfigCheck::Kind::none:
        case ConfigCheck::Kind::throttled_replicas: return "";
        case ConfigCheck::Kind::at_least: return ", at least " + number(check.low);
        case ConfigCheck::Kind::between: return ", " + number(check.low) + " to " + number(check.high);
        case ConfigCheck::Kind::gzip_level: return ", -1 or " + number(check.low) + " to " + number(check.high);
        case ConfigCheck::Kind::one_of: return ", one of " + choices;
        case ConfigCheck::Kind::list_of: return ", of " + choices;
    }
    return "";
}

// A minus is a minus, not a hyphen that a typesetter may exchange.
std::string escaped(const std::string& text) { return std::regex_replace(text, std::regex("-(?=[0-9])"), "\\-"); }

// What the manual has to say of a key, on one line.
std::string paragraph(ConfigScope scope, const ConfigKey& key) {
    std::string out = "(" + std::string(type_name(key.type));
    if (!key.default_value) out += ", no default";
    else if (key.default_value->empty()) out += ", default empty";
    else out += ", default " + std::string(*key.default_value);
    out += limits(key.check);
    if (scope == ConfigScope::broker && key.dynamic) out += "; can change at run time";
    if (scope == ConfigScope::topic && !key.dynamic) out += "; cannot change at run time";
    if (key.effect == ConfigEffect::stored) out += "; kept and shown, without effect";
    return escaped(out + ") " + std::string(key.documentation));
}

void check_keys(const std::string& page, ConfigScope scope, const std::string& from, const std::string& to) {
    auto begin = page.find(".Sh " + from), end = page.find(".Sh " + to);
    if (begin == page.npos || end == page.npos) return object("rafka.toml.5 has no section " + from);
    std::istringstream lines(page.substr(begin, end - begin));
    std::string line, name;
    std::map<std::string, std::string> told;
    while (std::getline(lines, line)) {
        if (line.starts_with(".It Ic ")) name = line.substr(7);
        else if (line.starts_with(".")) name.clear();
        else if (!name.empty()) told[name] += (told[name].empty() ? "" : " ") + line;
    }
    std::set<std::string> manual, program;
    for (const auto& [key, text] : told) manual.insert(key);
    for (const auto& key : config_keys(scope)) {
        program.insert(std::string(key.name));
        auto at = told.find(std::string(key.name));
        auto wanted = paragraph(scope, key);
        if (at != told.end() && at->second != wanted) object(at->first + "\n  manual: " + at->second + "\n  table:  " + wanted);
    }
    compare("keys of " + std::string(scope == ConfigScope::topic ? "topics" : "the broker"), program, manual);
}

void check_ignored(const std::string& page) {
    auto begin = page.find(".Bd -filled", page.find(".Sh KEYS THAT DO NOTHING"));
    auto end = page.find(".Ed", begin);
    if (begin == page.npos || end == page.npos) return object("rafka.toml.5 does not list the keys that do nothing");
    std::istringstream words(page.substr(page.find('\n', begin), end - page.find('\n', begin)));
    std::set<std::string> manual{std::istream_iterator<std::string>(words), {}};
    compare("keys that do nothing", {ignored_broker_keys().begin(), ignored_broker_keys().end()}, manual);
}

using Names = std::set<std::string>;

// "-c,--config FILE": an option as help has it.
Names options_of(const std::string& command) {
    std::istringstream help(output_of(command + " --help"));
    static const std::regex option(R"(^  ((?:-\w,)?--[\w-]+)( [A-Z=]+)?(?: |$))");
    Names out;
    for (std::string line; std::getline(help, line);) {
        std::smatch match;
        if (std::regex_search(line, match, option)) out.insert(match[1].str() + match[2].str());
    }
    return out;
}

// The same of the items `.It Fl c , Fl -config Ar FILE` below a heading.
Names options_below(const std::string& page, const std::string& heading) {
    Names out;
    auto begin = page.find(".Ss " + heading + "\n");
    if (begin == page.npos) {
        object("rafka.8 has no section " + heading);
        return out;
    }
    std::istringstream lines(page.substr(begin + 1));
    for (std::string line; std::getline(lines, line) && !line.starts_with(".Ss") && !line.starts_with(".Sh");) {
        if (!line.starts_with(".It ")) continue;
        std::istringstream words(line.substr(4));
        std::string spelled, gap, word;
        while (words >> word) {
            if (word == "Fl") gap = "-";
            else if (word == "Ar") gap = spelled.ends_with('=') ? "" : " ";
            else if (word != "Ns") spelled += std::exchange(gap, "") + word;
        }
        if (!out.insert(spelled).second) object("rafka.8 has twice: " + spelled);
    }
    return out;
}

void check_options(const std::string& rafka, const std::string& page) {
    auto always = options_below(page, "Of every command"), alone = options_below(page, "Without a command");
    auto configuration = options_below(page, "Of serve and format"), serving = options_below(page, "Of serve");
    auto together = [&](std::initializer_list<Names> sets) {
        Names out = always;
        for (const auto& set : sets) out.insert(set.begin(), set.end());
        return out;
    };
    compare("options without a command", options_of(rafka), together({alone, configuration, serving}));
    compare("options of serve", options_of(rafka + " serve"), together({configuration, serving}));
    compare("options of format", options_of(rafka + " format"), together({configuration}));
    auto dumping = options_below(page, "Of dump");
    compare("options of dump", options_of(rafka + " dump"), together({dumping}));

    // Nor does the rest of the page mention another.
    Names known, mentioned = all_of(page, R"(Fl (-?[A-Za-z][\w-]*))");
    for (const auto& option : together({alone, configuration, serving, dumping})) known.merge(all_of(option, R"(-(-?[\w-]*\w))"));
    for (const auto& name : mentioned) if (!known.contains(name)) object("rafka.8 mentions -" + name);

    auto help = output_of(rafka + " --help");
    auto at = help.find("Subcommands:"), commands = page.find(".Sh COMMANDS");
    if (at == help.npos || commands == page.npos) return object("commands: none found, so nothing is compared");
    compare("commands", all_of(help.substr(at), R"(\n  (\w+) )"),
            all_of(page.substr(commands, page.find(".Sh", commands + 1) - commands), R"(\n\.It Cm (\w+))"));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    std::string rafka = argv[1], mandoc = argv[2], folder = std::string(argv[3]) + "/man/";
    auto daemon_page = text_of(folder + "rafka.8"), config_page = text_of(folder + "rafka.toml.5");

    check_options(rafka, daemon_page);
    compare("exit codes", {"0", "1", "2", "73", "74", "75", "77", "78"}, all_of(daemon_page, R"(\n\.It (\d+))"));

    check_keys(config_page, ConfigScope::broker, "KEYS\n", "KEYS OF TOPICS");
    check_keys(config_page, ConfigScope::topic, "KEYS OF TOPICS", "KEYS THAT DO NOTHING");
    check_ignored(config_page);

    std::istringstream lint(output_of(mandoc + " -Tlint -Wall " + folder + "rafka.8 " + folder + "rafka.toml.5 2>&1"));
    for (std::string line; std::getline(lint, line);) {
        // Pages that are not installed yet refer to each other.
        if (line.find("referenced manual not found: Xr rafka") == line.npos) object(line);
    }
    std::cout << objections << " objections\n";
    return objections == 0 ? 0 : 1;
}
