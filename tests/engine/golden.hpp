#pragma once

// Bytes that Apache Kafka's own code made: tests/golden/records, by MakeGolden.java.

#include <cstddef>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::golden {

inline std::string file(std::string_view name) {
    std::ifstream in(std::string(RAFKA_SOURCE_ROOT "/tests/golden/records/") + std::string(name), std::ios::binary);
    if (!in) throw std::runtime_error("no golden file " + std::string(name));
    return {std::istreambuf_iterator<char>(in), {}};
}

// A line `NAME HEX` of a file.
inline std::vector<std::byte> bytes(std::string_view file_name, std::string_view name) {
    auto text = file(file_name);
    for (std::string_view rest = text; !rest.empty();) {
        auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        auto space = line.find(' ');
        if (line.substr(0, space) != name) continue;
        std::vector<std::byte> out;
        for (auto hex = line.substr(space + 1); hex.size() >= 2; hex.remove_prefix(2)) {
            out.push_back(std::byte(std::stoi(std::string(hex.substr(0, 2)), nullptr, 16)));
        }
        return out;
    }
    throw std::runtime_error("no golden bytes " + std::string(name));
}

}  // namespace rafka::golden
