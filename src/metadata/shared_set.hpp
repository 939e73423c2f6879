#pragma once

// A sorted set of immutable things that is cheap to copy: a list of chunks of pointers. A copy shares every chunk; a
// change copies the one chunk it falls into. So an image with ten thousand topics follows another for a few hundred
// pointers, and readers on other threads keep theirs as it was.

#include "base/assert.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace rafka::metadata {

// `KeyOf` is a function object that gives an element's key (by reference or as a view); keys have operator<.
template <class T, class KeyOf>
class SharedSet {
public:
    using Pointer = std::shared_ptr<const T>;

    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    // Null if it is not there.
    template <class Key>
    const Pointer* find_pointer(const Key& key) const {
        auto at = chunk_of(key);
        if (at == chunks_.size()) return nullptr;
        auto& entries = chunks_[at]->entries;
        auto place = lower_bound(entries, key);
        return place != entries.end() && !(key < KeyOf{}(**place)) ? &*place : nullptr;
    }
    template <class Key>
    const T* find(const Key& key) const {
        auto pointer = find_pointer(key);
        return pointer ? pointer->get() : nullptr;
    }

    // Adds it, or replaces the one with the same key. `edit` names the image under construction: chunks it made itself
    // are changed in place. Every image on a line of descent has its own number (Image::generation).
    void put(uint64_t edit, Pointer element) {
        const auto& key = KeyOf{}(*element);
        if (chunks_.empty()) chunks_.push_back(std::make_shared<Chunk>(edit));
        auto at = std::min(chunk_of(key), chunks_.size() - 1);
        auto& entries = own(edit, at).entries;
        auto place = entries.begin() + (lower_bound(entries, key) - entries.cbegin());
        if (place != entries.end() && !(key < KeyOf{}(**place))) {
            *place = std::move(element);
            return;
        }
        entries.insert(place, std::move(element));
        ++size_;
        if (entries.size() > chunk_size_max) split(edit, at);
    }

    // False if it was not there.
    template <class Key>
    bool erase(uint64_t edit, const Key& key) {
        if (!find_pointer(key)) return false;
        auto at = chunk_of(key);
        auto& entries = own(edit, at).entries;
        entries.erase(entries.begin() + (lower_bound(entries, key) - entries.cbegin()));
        --size_;
        if (entries.empty()) chunks_.erase(chunks_.begin() + ptrdiff_t(at));
        return true;
    }

    // In the order of the keys.
    class Iterator {
    public:
        using value_type = T;
        using difference_type = ptrdiff_t;

        const T& operator*() const { return **pointer(); }
        const T* operator->() const { return pointer()->get(); }
        const Pointer* pointer() const { return &(*set_).chunks_[chunk_]->entries[entry_]; }
        Iterator& operator++() {
            if (++entry_ == set_->chunks_[chunk_]->entries.size()) { ++chunk_; entry_ = 0; }
            return *this;
        }
        friend bool operator==(const Iterator&, const Iterator&) = default;

    private:
        friend class SharedSet;
        Iterator(const SharedSet* set, size_t chunk, size_t entry) : set_(set), chunk_(chunk), entry_(entry) {}
        const SharedSet* set_;
        size_t chunk_;
        size_t entry_;
    };
    Iterator begin() const { return Iterator(this, 0, 0); }
    Iterator end() const { return Iterator(this, chunks_.size(), 0); }
    // The first element whose key is not less than `key`.
    template <class Key>
    Iterator from(const Key& key) const {
        auto at = chunk_of(key);
        if (at == chunks_.size()) return end();
        auto& entries = chunks_[at]->entries;
        return Iterator(this, at, size_t(lower_bound(entries, key) - entries.begin()));
    }

private:
    static constexpr size_t chunk_size_max = 64;

    struct Chunk {
        explicit Chunk(uint64_t edit) : edit(edit) {}
        uint64_t edit;
        std::vector<Pointer> entries;  // Sorted; empty only while the set is empty.
    };

    template <class Key>
    static auto lower_bound(const std::vector<Pointer>& entries, const Key& key) {
        return std::lower_bound(entries.begin(), entries.end(), key,
                                [](const Pointer& entry, const Key& wanted) { return KeyOf{}(*entry) < wanted; });
    }
    // The first chunk whose last element is not less than `key`.
    template <class Key>
    size_t chunk_of(const Key& key) const {
        auto place = std::lower_bound(chunks_.begin(), chunks_.end(), key,
            [](const std::shared_ptr<Chunk>& chunk, const Key& wanted) { return !chunk->entries.empty() && KeyOf{}(*chunk->entries.back()) < wanted; });
        return size_t(place - chunks_.begin());
    }
    Chunk& own(uint64_t edit, size_t at) {
        ASSERT(chunks_[at]->edit <= edit);
        if (chunks_[at]->edit != edit) {
            auto copy = std::make_shared<Chunk>(*chunks_[at]);
            copy->edit = edit;
            chunks_[at] = std::move(copy);
        }
        return *chunks_[at];
    }
    void split(uint64_t edit, size_t at) {
        auto& entries = chunks_[at]->entries;
        // Names mostly arrive in order: then full chunks stay behind instead of half-full ones.
        auto keep = at + 1 == chunks_.size() ? entries.size() - 1 : entries.size() / 2;
        auto rest = std::make_shared<Chunk>(edit);
        rest->entries.assign(std::make_move_iterator(entries.begin() + ptrdiff_t(keep)), std::make_move_iterator(entries.end()));
        entries.resize(keep);
        chunks_.insert(chunks_.begin() + ptrdiff_t(at) + 1, std::move(rest));
    }

    std::vector<std::shared_ptr<Chunk>> chunks_;
    size_t size_ = 0;
};

}  // namespace rafka::metadata
