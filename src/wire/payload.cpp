#include "wire/payload.hpp"

#include <algorithm>
#include <cstring>

namespace rafka::wire {

namespace {
constexpr size_t first_capacity = 512;
constexpr size_t kept_bytes_max = 256 * 1024;
}  // namespace

void Payload::enlarge(size_t count) {
    size_t capacity = std::max({first_capacity, capacity_ * 2, size_ + count});
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
}

void Payload::append(Bytes bytes) {
    if (!bytes.empty()) std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
}

void Payload::borrow(Bytes piece) {
    if (piece.empty()) return;
    borrowed_.push_back({size_, piece});
    borrowed_size_ += piece.size();
}

void Payload::insert(size_t position, size_t count) {
    if (!borrowed_.empty()) ASSERT(borrowed_.back().position <= position);
    size_t behind = size_ - position;
    extend(count);
    std::memmove(bytes_.get() + position + count, bytes_.get() + position, behind);
}

void Payload::add_pieces(std::vector<Bytes>& to) const {
    size_t from = 0;
    for (auto& [position, bytes] : borrowed_) {
        if (position > from) to.emplace_back(bytes_.get() + from, position - from);
        to.push_back(bytes);
        from = position;
    }
    if (size_ > from) to.emplace_back(bytes_.get() + from, size_ - from);
}

std::vector<Bytes> Payload::pieces() const {
    std::vector<Bytes> list;
    add_pieces(list);
    return list;
}

std::vector<std::byte> Payload::copy() const {
    std::vector<std::byte> whole;
    whole.reserve(size());
    for (auto piece : pieces()) whole.insert(whole.end(), piece.begin(), piece.end());
    return whole;
}

void Payload::clear() {
    size_ = 0;
    borrowed_.clear();
    borrowed_size_ = 0;
    if (capacity_ > kept_bytes_max) {
        bytes_.reset();
        capacity_ = 0;
    }
}

}  // namespace rafka::wire
