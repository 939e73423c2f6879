#include "wire/arena.hpp"

#include <algorithm>
#include <cstdint>

namespace rafka::wire {

namespace {
constexpr size_t first_block_bytes = 4096;
// What a large request took is not kept: an idle connection holds at most this.
constexpr size_t kept_bytes_max = 256 * 1024;
}  // namespace

void Arena::add_block(size_t bytes_min) {
    size_t size = std::max(bytes_min, blocks_.empty() ? first_block_bytes : blocks_.back().size * 2);
    blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
    next_ = reinterpret_cast<uintptr_t>(blocks_.back().bytes.get());
    end_ = next_ + size;
}

void Arena::reset() {
    used_ = 0;
    // Blocks grow, so the last that may be kept is the largest; with it the next request of this size needs no other.
    while (!blocks_.empty() && blocks_.back().size > kept_bytes_max) blocks_.pop_back();
    if (blocks_.size() > 1) blocks_.erase(blocks_.begin(), blocks_.end() - 1);
    if (blocks_.empty()) {
        next_ = end_ = 0;
        return;
    }
    next_ = reinterpret_cast<uintptr_t>(blocks_.back().bytes.get());
    end_ = next_ + blocks_.back().size;
}

}  // namespace rafka::wire
