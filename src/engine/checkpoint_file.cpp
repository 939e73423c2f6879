#include "engine/checkpoint_file.hpp"

namespace rafka::engine {
namespace {

constexpr int32_t checkpoint_version = 0;
constexpr int32_t metadata_version = 0;
constexpr std::string_view white_space = " \t\n\v\f\r";

// The next line without its end, which is Java's: \n, \r or both. False: there is none.
bool take_line(std::string_view& rest, std::string_view& line) {
    if (rest.empty()) return false;
    auto end = rest.find_first_of("\r\n");
    line = rest.substr(0, end);
    if (end == rest.npos) rest = {};
    else rest.remove_prefix(end + (rest.substr(end).starts_with("\r\n") ? 2 : 1));
    return true;
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (true) {
        auto begin = line.find_first_not_of(white_space);
        if (begin == line.npos) return words;
        auto end = std::min(line.find_first_of(white_space, begin), line.size());
        words.push_back(line.substr(begin, end - begin));
        line.remove_prefix(end);
    }
}

std::string checkpoint_text(std::span<const std::string> lines) {
    auto text = std::to_string(checkpoint_version) + '\n' + std::to_string(lines.size()) + '\n';
    for (auto& line : lines) text += line + '\n';
    return text;
}

Result<std::vector<std::string_view>> checkpoint_lines(std::string_view text) {
    std::string_view line;
    std::vector<std::string_view> lines;
    if (!take_line(text, line)) return lines;
    int32_t version, count;
    if (!parse_number(line, version) || version != checkpoint_version) return fail(Errc::malformed);
    if (!take_line(text, line)) return lines;
    if (!parse_number(line, count) || count < 0) return fail(Errc::malformed);
    while (take_line(text, line)) lines.push_back(line);
    if (lines.size() != size_t(count)) return fail(Errc::malformed);
    return lines;
}

std::string offsets_text(std::span<const PartitionOffset> offsets) {
    std::vector<std::string> lines;
    lines.reserve(offsets.size());
    for (auto& entry : offsets) {
        lines.push_back(entry.topic + ' ' + std::to_string(entry.partition) + ' ' + std::to_string(entry.offset.value));
    }
    return checkpoint_text(lines);
}

Result<std::vector<PartitionOffset>> offsets_of(std::string_view text) {
    TRY(auto lines, checkpoint_lines(text));
    std::vector<PartitionOffset> offsets;
    offsets.reserve(lines.size());
    for (auto line : lines) {
        PartitionOffset entry;
        auto words = words_of(line);
        if (words.size() != 3 || !parse_number(words[1], entry.partition) || !parse_number(words[2], entry.offset.value)) {
            return fail(Errc::malformed);
        }
        entry.topic = words[0];
        offsets.push_back(std::move(entry));
    }
    return offsets;
}

std::string partition_metadata_text(const Uuid& topic_id) {
    return "version: " + std::to_string(metadata_version) + "\ntopic_id: " + to_text(topic_id);
}

Result<Uuid> topic_id_of(std::string_view text) {
    std::string_view line;
    int32_t version;
    if (!take_line(text, line)) return fail(Errc::malformed);
    auto words = words_of(line);
    // A later version keeps what stands here, so that an older broker can be put back.
    if (words.size() != 2 || !parse_number(words[1], version) || version < metadata_version) return fail(Errc::malformed);
    if (!take_line(text, line)) return fail(Errc::malformed);
    words = words_of(line);
    if (words.size() != 2) return fail(Errc::malformed);
    auto id = uuid_of(words[1]);
    if (!id || id->is_zero()) return fail(Errc::malformed);
    return *id;
}

std::string clean_shutdown_text(int64_t broker_epoch) {
    return "{\"version\":0,\"brokerEpoch\":" + std::to_string(broker_epoch) + "}";
}

int64_t broker_epoch_of(std::string_view text) {
    constexpr std::string_view name = "\"brokerEpoch\"";
    constexpr int64_t unknown = -1;
    auto at = text.find(name);
    if (at == text.npos) return unknown;
    at = text.find_first_not_of(white_space, at + name.size());
    if (at == text.npos || text[at] != ':') return unknown;
    at = text.find_first_not_of(white_space, at + 1);
    if (at == text.npos) return unknown;
    auto end = text.find_first_not_of("-0123456789", at);
    int64_t epoch;
    return end != text.npos && parse_number(text.substr(at, end - at), epoch) ? epoch : unknown;
}

}  // namespace rafka::engine
