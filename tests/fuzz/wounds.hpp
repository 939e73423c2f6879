#pragma once

// A directory as a value, and what can happen to its files: cut, overwritten, lost, exchanged, lied about.

#include "fuzz/input.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace rafka::fuzz {

// Content by path; a directory is there by the files in it.
using Tree = std::map<std::string, std::string>;

// What has been hurt, for those who know what must survive.
struct Wounds {
    // The first byte of each file that may not be what it was; a file that is gone or new counts from its beginning.
    std::map<std::string, uint64_t> first_touched;
    void touch(const std::string& path, uint64_t position) {
        auto [at, fresh] = first_touched.emplace(path, position);
        if (!fresh && position < at->second) at->second = position;
    }
};

// Follows the input to its end: each wound is a kind, a file and what that kind needs.
Wounds wound(Tree& tree, Input& input);

}  // namespace rafka::fuzz
