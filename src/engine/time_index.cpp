#include "engine/time_index.hpp"

#include "base/assert.hpp"
#include "base/endian.hpp"

#include <algorithm>
#include <limits>

namespace rafka::engine {
namespace {

constexpr int64_t relative_max = std::numeric_limits<int32_t>::max();

}  // namespace

void TimeIndex::append(LargestTimestamp largest) {
    if (largest.timestamp == no_timestamp || largest.timestamp <= last().timestamp) return;
    auto relative = largest.offset - base_;
    ASSERT(relative >= 0 && relative <= relative_max);
    ASSERT(offsets_.empty() || relative >= offsets_.back());
    timestamps_.push_back(largest.timestamp);
    offsets_.push_back(uint32_t(relative));
}

LargestTimestamp TimeIndex::lookup(Timestamp time) const {
    auto next = std::upper_bound(timestamps_.begin(), timestamps_.end(), time);
    if (next == timestamps_.begin()) return {no_timestamp, base_};
    return entry(size_t(next - timestamps_.begin()) - 1);
}

void TimeIndex::truncate(Offset end) {
    auto relative = end - base_;
    auto first = std::lower_bound(offsets_.begin(), offsets_.end(), relative, [](uint32_t o, int64_t r) { return int64_t(o) < r; });
    timestamps_.resize(size_t(first - offsets_.begin()));
    offsets_.erase(first, offsets_.end());
    written_ = std::min(written_, count());
}

void TimeIndex::encode(size_t from, std::vector<std::byte>& out) const {
    ASSERT(from <= count());
    auto at = out.size();
    out.resize(at + (count() - from) * entry_size);
    for (auto* to = out.data() + at; from < count(); ++from, to += entry_size) {
        store_be(to, timestamps_[from].ms);
        store_be(to + sizeof(int64_t), offsets_[from]);
    }
}

void TimeIndex::set_written(size_t count) {
    ASSERT(count <= timestamps_.size());
    written_ = count;
}

Result<> TimeIndex::load(Bytes file) {
    timestamps_.clear();
    offsets_.clear();
    written_ = 0;
    if (file.size() % entry_size != 0) return fail(Errc::malformed);
    std::vector<Timestamp> timestamps;
    std::vector<uint32_t> offsets;
    for (; !file.empty(); file = file.subspan(entry_size)) {
        Timestamp timestamp{load_be<int64_t>(file.data())};
        auto offset = load_be<uint32_t>(file.data() + sizeof(int64_t));
        if (timestamp.ms == 0 && offset == 0) {
            // Zeros are room that was not used, unless the segment's first record is from 1970.
            if (std::all_of(file.begin(), file.end(), [](std::byte b) { return b == std::byte{0}; })) break;
        }
        if (offset > uint32_t(relative_max)) return fail(Errc::malformed);
        if (!timestamps.empty() && (timestamp <= timestamps.back() || offset < offsets.back())) return fail(Errc::malformed);
        timestamps.push_back(timestamp);
        offsets.push_back(offset);
    }
    timestamps_ = std::move(timestamps);
    offsets_ = std::move(offsets);
    written_ = count();
    return {};
}

bool TimeIndex::fits(Offset end) const { return count() == 0 || last().offset < end; }

}  // namespace rafka::engine
