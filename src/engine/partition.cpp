#include <rafka/partition.hpp>

#include "base/assert.hpp"

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

void Partition::tell_watches(Isolation isolation, uint64_t bytes) {
    // Whoever is told may take any watch out.
    for (auto* watch = watches_; watch; watch = told_next_) {
        told_next_ = watch->next;
        if (watch->isolation == isolation) watch->grown(*watch, bytes);
    }
    told_next_ = nullptr;
}

}  // namespace rafka
