#include "engine/tail.hpp"

#include "base/assert.hpp"
#include "base/copy.hpp"
#include "engine/segment.hpp"

#include <algorithm>
#include <cstring>

namespace rafka::engine {
namespace {
// A log that is rarely written holds little memory: capacities double from chunk to chunk, until the log is idle again.
constexpr uint32_t capacity_min = 8u << 10;
constexpr uint32_t capacity_max = 256u << 10;
}  // namespace

MutableBytes Tail::append(Segment& segment, Offset base_offset, size_t size) {
    ASSERT(size > 0);
    auto* chunk = newest_;
    if (!chunk || chunk->segment != &segment || chunk->capacity() - chunk->end < size) {
        chunk = add(segment, segment.size, size);
        chunk->first = base_offset;
    }
    ASSERT(chunk->end_position() == segment.size);
    pool_.hold(*chunk);
    MutableBytes room{chunk->data() + chunk->end, size};
    chunk->end += size;
    if (!unwritten_) unwritten_ = chunk;
    return room;
}

Chunk* Tail::add(Segment& segment, uint64_t position, size_t size) {
    auto begin = position % block_size;
    next_capacity_ = std::clamp(next_capacity_ * 2, capacity_min, capacity_max);
    auto* chunk = pool_.make(std::max<size_t>(next_capacity_, begin + size));
    // The pool may have taken the older ones just now.
    auto* older = newest_ && newest_->segment == &segment ? newest_ : nullptr;
    chunk->tail = this;
    chunk->segment = &segment;
    chunk->position = block_floor(position);
    chunk->begin = chunk->end = begin;
    if (begin > 0 && older) {
        // The block that both share is written from the newer one from now on.
        auto from = block_floor(older->end);
        ASSERT(older->position + from == chunk->position && older->end - from == begin);
        copy_records(chunk->data(), older->bytes(from, from + begin));
        chunk->missing = from == 0 ? older->missing : 0;
    } else {
        chunk->missing = begin;
    }
    chunk->previous = newest_;
    (newest_ ? newest_->next : oldest_) = chunk;
    newest_ = chunk;
    return chunk;
}

void Tail::next_write(Write& write, uint64_t size_max, Offset log_end) const {
    auto* chunk = unwritten_;
    ASSERT(chunk && chunk->written < chunk->end);
    write.buffers.clear();
    write.position = chunk->position + block_floor(chunk->written);
    write.size = 0;
    for (;; chunk = chunk->next) {
        auto from = block_floor(chunk->written);
        auto whole = block_floor(chunk->end);
        if (whole > from) {
            write.buffers.push_back({chunk->data() + from, whole - from});
            write.size += whole - from;
        }
        auto* next = chunk->next;
        if (next && next->segment == chunk->segment && write.size + next->end <= size_max) continue;
        if (auto rest = chunk->end - whole; rest > 0) {
            auto* block = write.block.data();
            copy_records(block, chunk->bytes(whole, chunk->end));
            if (write.block_used > rest) std::memset(block + rest, 0, write.block_used - rest);
            write.block_used = rest;
            write.buffers.push_back({block, block_size});
            write.size += block_size;
        }
        write.end = chunk->end_position();
        write.end_offset = next ? next->first : log_end;
        write.last = chunk;
        write.last_end = chunk->end;
        return;
    }
}

void Tail::written(const Write& write) {
    for (auto* chunk = unwritten_;; chunk = chunk->next) {
        bool last = chunk == write.last;
        chunk->written = last ? write.last_end : chunk->end;
        if (chunk->written == chunk->end) pool_.keep_while_room(*chunk);
        if (!last) continue;
        unwritten_ = chunk->written < chunk->end ? chunk : chunk->next;
        return;
    }
}

Chunk* Tail::find(Offset offset) const {
    auto* chunk = newest_;
    while (chunk && chunk->first > offset) chunk = chunk->previous;
    return chunk;
}

void Tail::drop_oldest(Chunk& chunk) {
    ASSERT(&chunk == oldest_ && &chunk != unwritten_);
    oldest_ = chunk.next;
    (oldest_ ? oldest_->previous : newest_) = nullptr;
    chunk.next = chunk.previous = nullptr;
    pool_.release(&chunk);
}

void Tail::drop_written() {
    while (oldest_ && oldest_ != unwritten_) drop_oldest(*oldest_);
    next_capacity_ = 0;
}

void Tail::clear() {
    unwritten_ = nullptr;
    drop_written();
}

}  // namespace rafka::engine
