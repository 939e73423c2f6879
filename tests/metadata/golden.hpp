#pragma once

// Files that Kafka wrote; tests/metadata/golden/README.md says how.

#include <rafka/bytes.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

inline std::string golden_text(const std::string& name) {
    std::ifstream file(std::string(RAFKA_GOLDEN) + "/" + name, std::ios::binary);
    REQUIRE_MESSAGE(file.good(), name);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<std::byte> golden(const std::string& name) {
    auto text = golden_text(name);
    auto bytes = rafka::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}
