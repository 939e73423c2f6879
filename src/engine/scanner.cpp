#include "engine/scanner.hpp"

#include "base/endian.hpp"
#include "engine/files.hpp"
#include "engine/paths.hpp"

#include <algorithm>
#include <cstring>

namespace rafka::engine {
namespace {
// The first read is small: often only the end of a log is looked at.
constexpr size_t capacity_first = 16u << 10;
constexpr size_t capacity_max = 512u << 10;

bool all_zero(Bytes bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}
}  // namespace

std::optional<BatchView> BatchScanner::next() {
    if (end_ != End::open || !buffer_) return std::nullopt;
    auto at = size_t(position_ - buffer_position_);
    auto in_memory = Bytes(buffer_->data() + at, filled_ - at);
    if (position_ == limit_) {
        end_ = End::limit;
        return std::nullopt;
    }
    auto left = limit_ - position_;
    needed_ = batch_header_size;
    if (left < needed_) {
        if (in_memory.size() >= left) end_ = all_zero(in_memory) ? End::zeros : End::bad;
        return std::nullopt;
    }
    if (in_memory.size() < needed_) return std::nullopt;
    auto length = load_be<int32_t>(in_memory.data() + batch_at::length);
    if (length < int32_t(batch_header_size - batch_size_prefix) || uint64_t(length) + batch_size_prefix > left) {
        end_ = all_zero(in_memory.first(batch_header_size)) ? End::zeros : End::bad;
        return std::nullopt;
    }
    needed_ = size_t(length) + batch_size_prefix;
    if (in_memory.size() < needed_) return std::nullopt;
    auto batch = BatchView::frame(in_memory.first(needed_));
    if (!batch || batch->last_offset_delta() < 0 || batch->base_offset().value < 0 || batch->base_offset() > offset_max) {
        end_ = End::bad;
        return std::nullopt;
    }
    position_ += needed_;
    last_size_ = needed_;
    return *batch;
}

Task<Result<bool>> BatchScanner::fill() {
    if (end_ != End::open) co_return false;
    if (position_ == limit_) {
        end_ = End::limit;
        co_return false;
    }
    auto start = block_floor(position_);
    auto reach = block_ceil(limit_);
    capacity_ = std::min(capacity_max, capacity_ == 0 ? capacity_first : capacity_ * 4);
    auto capacity = std::min<uint64_t>(reach - start, block_ceil(std::max<uint64_t>(capacity_, position_ - start + needed_)));
    auto* fresh = Chunk::make(capacity);
    size_t kept = 0;
    if (buffer_) {
        // Whole blocks that are already here.
        auto end = buffer_position_ + filled_;
        if (end > start) kept = std::min<uint64_t>(block_floor(end) - std::min(block_floor(end), start), capacity);
        std::memcpy(fresh->data(), buffer_->data() + (start - buffer_position_), kept);
        buffer_->drop();
    }
    buffer_ = fresh;
    buffer_position_ = start;
    filled_ = kept;
    auto read = co_await read_up_to(file_, {fresh->data() + kept, capacity - kept}, start + kept, limit_ - std::min(limit_, start + kept));
    if (!read) co_return fail(read.error());
    filled_ += *read;
    if (filled_ < capacity) limit_ = std::min(limit_, start + filled_);  // The file is shorter.
    filled_ = std::min<uint64_t>(filled_, limit_ - start);
    if (limit_ < position_) limit_ = position_;
    co_return true;
}

}  // namespace rafka::engine
