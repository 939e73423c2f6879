// Compares every message, at every version, with the classes that Kafka generates from its own schemas
// (tests/clients/wire_oracle/WireOracle.java), in both directions:
//
//   - ours, filled at random: Kafka reads them with nothing left over and writes the same bytes; it adds unknown tagged
//     fields everywhere, and our Reader and Writer give the first bytes again;
//   - Kafka's, filled at random: our Reader and Writer give what Kafka writes;
//   - Kafka has no version that we lack, and no metadata record.
//
// wire_oracle --java COMMAND [--seed N] [--samples N]
// COMMAND runs the Java side with the shell, its answers on standard output.

#include "protocol/every_message.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <unistd.h>

using namespace rafka;
using namespace rafka::protocol;

namespace {

std::string hex(Bytes bytes) {
    std::string text = "x";
    text.reserve(bytes.size() * 2 + 1);
    for (auto byte : bytes) {
        constexpr auto digits = "0123456789abcdef";
        text += digits[uint8_t(byte) >> 4];
        text += digits[uint8_t(byte) & 15];
    }
    return text;
}

std::vector<std::byte> from_hex(std::string_view text) {
    auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::vector<std::byte> bytes;
    for (size_t i = 1; i + 1 < text.size(); i += 2) bytes.push_back(std::byte(digit(text[i]) << 4 | digit(text[i + 1])));
    return bytes;
}

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

// A question to Kafka, and what must be true of the answer; an empty string if it is.
struct Question {
    std::string line;
    std::string about;
    std::function<std::string(const std::vector<std::string>& answer)> judge;
};

std::string about(const AnyMessage& message, int16_t version, uint64_t seed) {
    return message.name + " version " + std::to_string(version) + " seed " + std::to_string(seed);
}

std::string rewritten(const AnyMessage& message, int16_t version, const std::string& bytes, const std::string& expected) {
    auto again = message.rewrite(from_hex(bytes), version);
    if (!again) return "we refuse " + bytes;
    if (hex(*again) == expected) return {};
    return "we read " + bytes + "\n  and write " + hex(*again) + "\n  instead of " + expected;
}

Question check(const AnyMessage& message, const std::string& what, int16_t version, uint64_t seed) {
    auto bytes = hex(message.sample(seed, version));
    auto judge = [&message, version, bytes](const std::vector<std::string>& answer) -> std::string {
        if (answer.size() != 3) return "no answer to " + bytes;
        if (answer[0] != bytes) return "we write " + bytes + "\n  Kafka writes " + answer[0];
        if (answer[1] != "0") return "Kafka leaves over " + answer[1] + " bytes of " + bytes;
        if (answer[2] == "-") return message.schema.flexible(version) ? "Kafka has no tagged fields here" : "";
        return rewritten(message, version, answer[2], bytes);
    };
    return {"check " + what + " " + bytes, about(message, version, seed), judge};
}

Question fill(const AnyMessage& message, const std::string& what, int16_t version, uint64_t seed) {
    auto judge = [&message, version](const std::vector<std::string>& answer) -> std::string {
        if (answer.size() != 2) return "no answer";
        return rewritten(message, version, answer[0], answer[1]);
    };
    return {"fill " + what + " " + std::to_string(seed), about(message, version, seed) + " (Kafka's)", judge};
}

std::vector<Question> questions(uint64_t seed, int samples) {
    std::vector<Question> list;
    for (auto& message : every_message()) {
        auto kind_and_key = std::string(to_text(message.kind)) + " " + std::to_string(message.schema.key);
        list.push_back({"range " + kind_and_key, message.name, [&message](auto& answer) -> std::string {
            auto ours = std::to_string(message.schema.oldest) + " " + std::to_string(message.schema.newest);
            auto theirs = answer.size() == 2 ? answer[0] + " " + answer[1] : "nothing";
            return ours == theirs ? "" : "versions: ours " + ours + ", Kafka's " + theirs;
        }});
        for (int16_t version = message.schema.oldest; version <= message.schema.newest; ++version) {
            auto what = kind_and_key + " " + std::to_string(version);
            for (int i = 0; i < samples; ++i) {
                list.push_back(check(message, what, version, seed));
                list.push_back(fill(message, what, version, seed));
                ++seed;
            }
        }
    }
    list.push_back({"keys record", "metadata records", [](auto& answer) -> std::string {
        std::string missing;
        for (auto& key : answer) {
            bool found = false;
            for (auto& message : every_message()) {
                found |= message.kind == AnyMessage::Kind::record && std::to_string(message.schema.key) == key;
            }
            if (!found) missing += " " + key;
        }
        if (answer.empty()) return "no answer";
        return missing.empty() ? "" : "we lack" + missing;
    }});
    return list;
}

}  // namespace

int main(int argc, char** argv) {
    std::string java;
    uint64_t seed = uint64_t(std::time(nullptr));
    int samples = 20;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string option = argv[i], value = argv[i + 1];
        if (option == "--java") java = value;
        else if (option == "--seed") seed = std::strtoull(value.c_str(), nullptr, 10);
        else if (option == "--samples") samples = std::atoi(value.c_str());
    }
    if (java.empty() || samples < 1) {
        std::cerr << "usage: wire_oracle --java COMMAND [--seed N] [--samples N]\n";
        return 2;
    }
    std::cout << "wire oracle: seed " << seed << ", " << samples << " samples of each message and version" << std::endl;

    auto folder = std::filesystem::temp_directory_path() / ("wire_oracle." + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    auto asked = folder / "questions", answered = folder / "answers";
    auto list = questions(seed, samples);
    {
        std::ofstream out(asked);
        for (auto& question : list) out << question.line << '\n';
    }
    auto command = java + " < " + asked.string() + " > " + answered.string();
    if (std::system(command.c_str()) != 0) {
        std::cerr << "wire oracle: the Java side failed: " << command << '\n';
        std::filesystem::remove_all(folder);
        return 1;
    }

    size_t wrong = 0, judged = 0;
    {
        std::ifstream in(answered);
        for (auto& question : list) {
            std::string line;
            if (!std::getline(in, line)) break;
            ++judged;
            auto verdict = line.starts_with("error") ? line : question.judge(words_of(line));
            if (verdict.empty()) continue;
            if (++wrong <= 20) std::cout << question.about << ": " << verdict << '\n';
        }
    }
    std::filesystem::remove_all(folder);
    std::cout << "wire oracle: " << every_message().size() << " messages, " << judged << " of " << list.size()
              << " answers, " << wrong << " wrong" << std::endl;
    return wrong == 0 && judged == list.size() ? 0 : 1;
}
