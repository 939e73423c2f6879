#include "engine/transaction_index.hpp"

#include "base/assert.hpp"
#include "base/endian.hpp"

#include <algorithm>

namespace rafka::engine {
namespace {

constexpr int16_t entry_version = 0;
namespace entry_at {
constexpr size_t version = 0, producer_id = 2, first_offset = 10, last_offset = 18, last_stable_offset = 26;
}

}  // namespace

void TransactionIndex::append(const EndedTransaction& ended) {
    ASSERT(ended.aborted && ended.last_offset >= base_);
    ASSERT(entries_.empty() || ended.last_offset > entries_.back().last_offset);
    entries_.push_back(ended);
}

bool TransactionIndex::collect(Offset from, Offset to, std::vector<AbortedTransaction>& out) const {
    for (auto& entry : entries_) {
        if (entry.last_offset >= from && entry.first_offset < to) out.push_back({entry.producer_id, entry.first_offset});
        if (entry.last_stable_offset >= to) return true;
    }
    return false;
}

void TransactionIndex::truncate(Offset end) {
    std::erase_if(entries_, [end](auto& entry) { return entry.last_offset >= end; });
    file_is_longer_ |= written_ > count();
    written_ = std::min(written_, count());
}

void TransactionIndex::encode(size_t from, std::vector<std::byte>& out) const {
    ASSERT(from <= count());
    auto at = out.size();
    out.resize(at + (count() - from) * entry_size);
    for (auto* to = out.data() + at; from < count(); ++from, to += entry_size) {
        auto& entry = entries_[from];
        store_be(to + entry_at::version, entry_version);
        store_be(to + entry_at::producer_id, entry.producer_id);
        store_be(to + entry_at::first_offset, entry.first_offset.value);
        store_be(to + entry_at::last_offset, entry.last_offset.value);
        store_be(to + entry_at::last_stable_offset, entry.last_stable_offset.value);
    }
}

void TransactionIndex::set_written(size_t count) {
    ASSERT(count <= entries_.size());
    written_ = count;
    file_is_longer_ = false;
}

Result<> TransactionIndex::load(Bytes file) {
    entries_.clear();
    written_ = 0;
    file_is_longer_ = true;
    if (file.size() % entry_size != 0) return fail(Errc::malformed);
    std::vector<EndedTransaction> entries;
    for (; !file.empty(); file = file.subspan(entry_size)) {
        auto offset = [&](size_t at) { return Offset{load_be<int64_t>(file.data() + at)}; };
        EndedTransaction entry;
        entry.producer_id = load_be<int64_t>(file.data() + entry_at::producer_id);
        entry.first_offset = offset(entry_at::first_offset);
        entry.last_offset = offset(entry_at::last_offset);
        entry.last_stable_offset = offset(entry_at::last_stable_offset);
        entry.aborted = true;
        if (load_be<int16_t>(file.data() + entry_at::version) != entry_version || entry.last_offset < base_) return fail(Errc::malformed);
        if (!entries.empty() && entry.last_offset <= entries.back().last_offset) return fail(Errc::malformed);
        entries.push_back(entry);
    }
    entries_ = std::move(entries);
    written_ = count();
    file_is_longer_ = false;
    return {};
}

}  // namespace rafka::engine
