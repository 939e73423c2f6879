#include "engine/paths.hpp"

#include "engine/checkpoint_file.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace rafka::engine {
namespace {

constexpr size_t name_bytes_max = 255;  // Of a file name, on every file system that matters.

std::string_view suffix_of(DirectoryState state) {
    switch (state) {
    case DirectoryState::live: return "";
    case DirectoryState::deleted: return "-delete";
    case DirectoryState::future: return "-future";
    case DirectoryState::stray: return "-stray";
    }
    UNREACHABLE();
}

bool has_space(std::string_view text) { return text.find_first_of(" \t\n\v\f\r") != text.npos; }

}  // namespace

std::string file_name(Offset offset, std::string_view suffix) {
    ASSERT(offset.value >= 0);
    std::array<char, 32> digits;
    auto size = std::snprintf(digits.data(), digits.size(), "%020lld", static_cast<long long>(offset.value));
    std::string name(digits.data(), size_t(size));
    name += suffix;
    return name;
}

std::optional<OffsetFile> offset_file_of(std::string_view name) {
    auto dot = name.find('.');
    if (dot == name.npos || dot == 0) return {};
    auto digits = name.substr(0, dot);
    if (digits.front() == '-') return {};
    OffsetFile file;
    if (!parse_number(digits, file.offset.value) || file.offset > offset_max) return {};
    file.suffix = name.substr(dot);
    return file;
}

std::optional<PartitionDirectory> partition_directory_of(std::string_view name) {
    PartitionDirectory directory;
    for (auto state : {DirectoryState::deleted, DirectoryState::future, DirectoryState::stray}) {
        if (!name.ends_with(suffix_of(state))) continue;
        // TOPIC-PARTITION.UNIQUE-suffix, each part at least a character and none a space.
        auto stem = name.substr(0, name.size() - suffix_of(state).size());
        auto dot = stem.rfind('.');
        if (dot == stem.npos || dot + 1 == stem.size() || has_space(name)) return {};
        directory.state = state;
        name = stem.substr(0, dot);
        break;
    }
    auto dash = name.rfind('-');
    if (dash == name.npos || dash == 0) return {};
    auto digits = name.substr(dash + 1);
    if (!parse_number(digits, directory.partition) || directory.partition < 0) return {};
    directory.topic = name.substr(0, dash);
    return directory;
}

std::string partition_directory(std::string_view topic, int32_t partition) {
    return std::string(topic) + '-' + std::to_string(partition);
}

std::string partition_directory(std::string_view topic, int32_t partition, DirectoryState state, const Uuid& unique) {
    ASSERT(state != DirectoryState::live);
    std::string end = '-' + std::to_string(partition) + '.';
    for (auto byte : unique.bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        end += digits[size_t(byte) >> 4];
        end += digits[size_t(byte) & 15];
    }
    end += suffix_of(state);
    return std::string(topic.substr(0, std::min(topic.size(), name_bytes_max - end.size()))) + end;
}

}  // namespace rafka::engine
