#include "engine/epochs.hpp"

#include "engine/checkpoint_file.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace rafka::engine {
namespace {

// The first entry of a later epoch.
auto later(const std::vector<EpochStart>& entries, LeaderEpoch epoch) {
    return std::upper_bound(entries.begin(), entries.end(), epoch, [](LeaderEpoch e, auto& entry) { return e < entry.epoch; });
}

}  // namespace

bool Epochs::assign(LeaderEpoch epoch, Offset start) {
    ASSERT(epoch >= 0 && start.value >= 0);
    if (!entries_.empty() && entries_.back().epoch == epoch && start >= entries_.back().start) return false;
    while (!entries_.empty() && (entries_.back().epoch >= epoch || entries_.back().start >= start)) entries_.pop_back();
    entries_.push_back({epoch, start});
    return true;
}

EpochEnd Epochs::end_of(LeaderEpoch asked, Offset log_end) const {
    if (asked == -1 || entries_.empty()) return {};
    if (asked == latest()) return {asked, log_end};
    auto next = later(entries_, asked);
    if (next == entries_.end()) return {};
    return {next == entries_.begin() ? asked : std::prev(next)->epoch, next->start};
}

LeaderEpoch Epochs::epoch_of(Offset offset) const {
    auto next = std::upper_bound(entries_.begin(), entries_.end(), offset, [](Offset o, auto& entry) { return o < entry.start; });
    return next == entries_.begin() ? -1 : std::prev(next)->epoch;
}

bool Epochs::truncate_from_end(Offset end) {
    auto count = entries_.size();
    while (!entries_.empty() && entries_.back().start >= end) entries_.pop_back();
    return entries_.size() != count;
}

bool Epochs::truncate_from_start(Offset start) {
    auto next = std::find_if(entries_.begin(), entries_.end(), [&](auto& entry) { return entry.start > start; });
    if (next == entries_.begin()) return false;
    auto first = std::prev(next);
    bool changed = first != entries_.begin() || first->start != start;
    first->start = start;
    entries_.erase(entries_.begin(), first);
    return changed;
}

bool Epochs::clear() {
    bool changed = !entries_.empty();
    entries_.clear();
    return changed;
}

std::string Epochs::to_text() const {
    std::vector<std::string> lines;
    for (auto& entry : entries_) lines.push_back(std::to_string(entry.epoch) + ' ' + std::to_string(entry.start.value));
    return checkpoint_text(lines);
}

Result<Epochs> Epochs::of_text(std::string_view text) {
    TRY(auto lines, checkpoint_lines(text));
    Epochs epochs;
    for (auto line : lines) {
        EpochStart entry;
        auto words = words_of(line);
        if (words.size() != 2 || !parse_number(words[0], entry.epoch) || !parse_number(words[1], entry.start.value)) {
            return fail(Errc::malformed);
        }
        if (entry.epoch < 0 || entry.start.value < 0) return fail(Errc::malformed);
        epochs.assign(entry.epoch, entry.start);
    }
    return epochs;
}

}  // namespace rafka::engine
