// Runs the scenarios and compares the answers with those that Kafka gave:
//
//   semantics [--loops N] [SCENARIO ...]                   against a rafka in this process
//   semantics --broker HOST:PORT [SCENARIO ...]            against a broker that runs
//   semantics --broker HOST:PORT --record [SCENARIO ...]   against a Kafka that runs, whose answers are stored
//
// record.sh starts a Kafka for the last. --settle: the broker applies some changes a moment after its answer; implied
// by --record. --ping: only asks whether the broker serves.

#include "semantics/own_broker.hpp"
#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

using namespace rafka;
using namespace rafka::semantics;

namespace {

struct Options {
    Address broker;
    uint32_t loops = 1;
    bool record = false;
    bool settle = false;
    bool ping = false;
    std::vector<std::string> names;
};

std::string path_of(std::string_view scenario) { return std::string(GOLDEN_SEMANTICS) + '/' + std::string(scenario) + ".txt"; }

// "== TITLE", then the text; "! REASON" before it where rafka differs.
void write(const std::string& path, const std::vector<Exchange>& transcript) {
    std::ofstream out(path);
    for (auto& exchange : transcript) {
        out << "== " << exchange.title << '\n';
        if (!exchange.differs.empty()) out << "! " << exchange.differs << '\n';
        out << exchange.text << '\n';
    }
}

std::vector<Exchange> read(const std::string& path) {
    std::ifstream in(path);
    std::vector<Exchange> transcript;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("== ")) {
            transcript.push_back({line.substr(3), "", "", ""});
        } else if (!transcript.empty() && !line.starts_with("! ")) {
            auto& text = transcript.back().text;
            if (!text.empty()) text += '\n';
            text += line;
        }
    }
    return transcript;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

void show(const Exchange& kafka, const std::string& expected, const std::string& got) {
    std::cout << "== " << kafka.title << '\n';
    auto theirs = lines_of(expected), ours = lines_of(got);
    for (size_t i = 0; i < std::max(theirs.size(), ours.size()); ++i) {
        auto* their = i < theirs.size() ? &theirs[i] : nullptr;
        auto* our = i < ours.size() ? &ours[i] : nullptr;
        if (their && our && *their == *our) continue;
        if (their) std::cout << "  kafka: " << *their << '\n';
        if (our) std::cout << "  rafka: " << *our << '\n';
    }
}

// The number of exchanges that are not as they should be.
size_t compare(const std::vector<Exchange>& kafka, const std::vector<Exchange>& ours) {
    size_t wrong = 0;
    for (size_t i = 0; i < std::max(kafka.size(), ours.size()); ++i) {
        if (i >= kafka.size() || i >= ours.size() || kafka[i].title != ours[i].title) {
            std::cout << "the scenario is not the recorded one from \"" << (i < ours.size() ? ours[i].title : kafka[i].title) << "\" on\n";
            return wrong + 1;
        }
        bool differs = !ours[i].differs.empty();
        auto& expected = differs ? ours[i].instead : kafka[i].text;
        if ((differs && expected.empty()) || expected == ours[i].text) continue;
        ++wrong;
        show(kafka[i], expected, ours[i].text);
    }
    return wrong;
}

bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        std::string word = argv[i];
        if (word == "--record") options.record = options.settle = true;
        else if (word == "--settle") options.settle = true;
        else if (word == "--ping") options.ping = true;
        else if (word == "--loops" && i + 1 < argc) options.loops = uint32_t(std::stoul(argv[++i]));
        else if (word == "--broker" && i + 1 < argc) {
            std::string address = argv[++i];
            auto colon = address.rfind(':');
            if (colon == std::string::npos) return false;
            options.broker = {address.substr(0, colon), uint16_t(std::stoul(address.substr(colon + 1)))};
        } else if (word.starts_with("--")) return false;
        else options.names.push_back(word);
    }
    return !options.record || options.broker.port != 0;
}

int run(Options& options) {
    std::unique_ptr<OwnBroker> own;
    if (options.broker.port == 0) {
        own = std::make_unique<OwnBroker>(options.loops);
        options.broker = own->address();
    }
    if (options.ping) return Script(options.broker, true).is_served() ? 0 : 1;
    size_t exchanges = 0, wrong = 0, known = 0;
    for (auto& [name, scenario] : scenarios) {
        if (!options.names.empty() && std::find(options.names.begin(), options.names.end(), name) == options.names.end()) continue;
        auto start = std::chrono::steady_clock::now();
        Script script(options.broker, options.settle);
        script.mask().prefix = std::string(name) + '-';
        try {
            scenario(script);
        } catch (const std::exception& problem) {
            std::cout << name << ": " << problem.what() << '\n';
            ++wrong;
            if (options.record) return 1;
        }
        exchanges += script.transcript().size();
        for (auto& exchange : script.transcript()) known += !exchange.differs.empty();
        if (options.record) write(path_of(name), script.transcript());
        else wrong += compare(read(path_of(name)), script.transcript());
        auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
        std::cout << name << ": " << script.transcript().size() << " exchanges in " << took.count() << " ms" << std::endl;
    }
    std::cout << exchanges << " exchanges, " << known << " known to differ, " << wrong << " wrong" << std::endl;
    return wrong == 0 && exchanges > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (!parse(argc, argv, options)) {
        std::cerr << "usage: semantics [--loops N] [--broker HOST:PORT [--record] [--settle]] [SCENARIO ...]\n";
        return 2;
    }
    try {
        return run(options);
    } catch (const std::exception& problem) {
        std::cerr << problem.what() << '\n';
        return 1;
    }
}
