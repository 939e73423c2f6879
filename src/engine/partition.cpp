#include <rafka/partition.hpp>

#include "base/assert.hpp"
#include "base/endian.hpp"

namespace rafka {

Partition::~Partition() {
    while (watches_) unwatch(*watches_);
}

void Partition::watch(Watch& watch) {
    ASSERT(watch.partition == nullptr);
    watch.partition = this;
    watch.previous = nullptr;
    watch.next = watches_;
    if (watches_) watches_->previous = &watch;
    watches_ = &watch;
}

void Partition::unwatch(Watch& watch) {
    if (!watch.partition) return;
    ASSERT(watch.partition == this);
    if (told_next_ == &watch) told_next_ = watch.next;
    (watch.previous ? watch.previous->next : watches_) = watch.next;
    if (watch.next) watch.next->previous = watch.previous;
    watch.next = watch.previous = nullptr;
    watch.partition = nullptr;
}

void Partition::tell_watches(const Growth& growth) {
    // Whoever is told may take any watch out.
    for (auto* watch = watches_; watch; watch = told_next_) {
        told_next_ = watch->next;
        watch->grown(*watch, growth);
    }
    told_next_ = nullptr;
}

void Records::keep(size_t bytes_max, bool at_least_one) {
    size_t kept = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
        auto& bytes = pieces[i].bytes;
        if (kept + bytes.size() <= bytes_max) {
            kept += bytes.size();
            continue;
        }
        size_t end = 0;
        while (end < bytes.size()) {
            auto batch = size_t(load_be<int32_t>(bytes.data() + end + batch_at::length)) + batch_size_prefix;
            if (kept + end + batch > bytes_max && (kept + end > 0 || !at_least_one)) break;
            end += batch;
        }
        ASSERT(end <= bytes.size());
        kept += end;
        if (end < bytes.size() || i + 1 < pieces.size()) more = true;
        bytes = bytes.first(end);
        pieces.erase(pieces.begin() + ptrdiff_t(end > 0 ? i + 1 : i), pieces.end());
        break;
    }
    size = kept;
}

}  // namespace rafka
