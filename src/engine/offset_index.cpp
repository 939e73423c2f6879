#include "engine/offset_index.hpp"

#include "base/assert.hpp"
#include "base/endian.hpp"

#include <algorithm>
#include <limits>

namespace rafka::engine {
namespace {

constexpr int64_t relative_max = std::numeric_limits<int32_t>::max();

}  // namespace

void OffsetIndex::append(Offset last_offset, uint32_t position) {
    auto relative = last_offset - base_;
    ASSERT(relative >= 0 && relative <= relative_max);
    ASSERT(entries_.empty() || (relative > entries_.back().relative_offset && position > entries_.back().position));
    entries_.push_back({uint32_t(relative), position});
}

OffsetIndex::Found OffsetIndex::lookup(Offset target) const {
    auto relative = target - base_;
    auto next = std::upper_bound(entries_.begin(), entries_.end(), relative,
                                 [](int64_t r, Entry entry) { return r < int64_t(entry.relative_offset); });
    if (next == entries_.begin()) return {base_, 0};
    auto entry = *std::prev(next);
    return {base_ + entry.relative_offset, entry.position};
}

const OffsetIndex::Entry* OffsetIndex::at_or_beyond(uint32_t position) const {
    auto found = std::lower_bound(entries_.begin(), entries_.end(), position, [](Entry entry, uint32_t p) { return entry.position < p; });
    return found == entries_.end() ? nullptr : &*found;
}

void OffsetIndex::truncate(Offset end) {
    auto relative = end - base_;
    auto first = std::lower_bound(entries_.begin(), entries_.end(), relative,
                                  [](Entry entry, int64_t r) { return int64_t(entry.relative_offset) < r; });
    entries_.erase(first, entries_.end());
    written_ = std::min(written_, entries_.size());
}

void OffsetIndex::encode(size_t from, std::vector<std::byte>& out) const {
    ASSERT(from <= entries_.size());
    auto at = out.size();
    out.resize(at + (entries_.size() - from) * entry_size);
    for (auto* to = out.data() + at; from < entries_.size(); ++from, to += entry_size) {
        store_be(to, entries_[from].relative_offset);
        store_be(to + sizeof(uint32_t), entries_[from].position);
    }
}

void OffsetIndex::set_written(size_t count) {
    ASSERT(count <= entries_.size());
    written_ = count;
}

Result<> OffsetIndex::load(Bytes file) {
    entries_.clear();
    written_ = 0;
    if (file.size() % entry_size != 0) return fail(Errc::malformed);
    std::vector<Entry> entries;
    for (; !file.empty(); file = file.subspan(entry_size)) {
        Entry entry{load_be<uint32_t>(file.data()), load_be<uint32_t>(file.data() + sizeof(uint32_t))};
        // Zeros are room that was not used: the first batch of a segment, at position 0, is never entered.
        if (entry == Entry{}) break;
        if (entry.relative_offset > uint32_t(relative_max)) return fail(Errc::malformed);
        if (!entries.empty() && (entry.relative_offset <= entries.back().relative_offset || entry.position <= entries.back().position)) {
            return fail(Errc::malformed);
        }
        entries.push_back(entry);
    }
    if (std::any_of(file.begin(), file.end(), [](std::byte b) { return b != std::byte{0}; })) return fail(Errc::malformed);
    entries_ = std::move(entries);
    written_ = entries_.size();
    return {};
}

bool OffsetIndex::fits(uint64_t log_size, Offset end) const {
    return entries_.empty() || (entries_.back().position < log_size && last_offset() < end);
}

}  // namespace rafka::engine
