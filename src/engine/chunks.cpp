#include "engine/chunks.hpp"

#include "base/assert.hpp"
#include "engine/cold_memory.hpp"
#include "engine/tail.hpp"

#include <rafka/partition.hpp>

#include <utility>

namespace rafka {

Pin::Pin(engine::Chunk* chunk) : chunk_(chunk) { chunk_->take(); }
Pin::~Pin() {
    if (chunk_) chunk_->drop();
}

namespace engine {

Chunk::Chunk(io::Buffer buffer) : data_(buffer.data()), capacity_(buffer.size()), buffer_(std::move(buffer)) {}

Chunk::Chunk(io::Slabs& slabs, std::shared_ptr<ChunkMemory> memory)
    : capacity_(slabs.block_size()), slabs_(&slabs), block_(slabs.take()), memory_(std::move(memory)) {
    data_ = block_.data;
}

Chunk::~Chunk() {
    if (slabs_) slabs_->give_back(block_);
}

Chunk* Chunk::make(size_t capacity) { return new Chunk(io::Buffer(block_ceil(capacity), block_size)); }

Chunk* Chunk::make(size_t capacity, const std::shared_ptr<ChunkMemory>& memory) {
    if (capacity > memory->of_busy.block_size() / 2) {
        for (auto* slabs : {&memory->of_busy, &memory->of_large_batches}) {
            if (capacity <= slabs->block_size()) return new Chunk(*slabs, memory);
        }
    }
    return make(capacity);
}

void Chunk::drop() {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    if (cold_) ColdMemory::give_back(this);
    else delete this;
}

ChunkPool::~ChunkPool() { ASSERT(bytes_ == 0); }

void ChunkPool::Room::await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    (pool_.last_waiting_ ? pool_.last_waiting_->next_ : pool_.first_waiting_) = this;
    pool_.last_waiting_ = this;
}

void ChunkPool::admit_next() {
    auto* room = first_waiting_;
    if (!room || admitted_ || !fits(room->size_)) return;
    first_waiting_ = room->next_;
    if (!first_waiting_) last_waiting_ = nullptr;
    admitted_ = true;
    loop_.schedule(room->waiter_);
}

Chunk* ChunkPool::make(size_t capacity) {
    // First, so that the new one takes over the memory of the oldest.
    while (bytes_ + capacity > bytes_max_ && oldest_) {
        auto* evicted = oldest_;
        evicted->tail->drop_oldest(*evicted);
    }
    auto* chunk = Chunk::make(capacity, memory_);
    bytes_ += chunk->capacity();
    return chunk;
}

void ChunkPool::keep_while_room(Chunk& chunk) {
    ASSERT(chunk.written == chunk.end);
    if (chunk.evictable_) return;
    chunk.evictable_ = true;
    chunk.older_ = newest_;
    (newest_ ? newest_->newer_ : oldest_) = &chunk;
    newest_ = &chunk;
    bytes_evictable_ += chunk.capacity();
    admit_next();
}

void ChunkPool::hold(Chunk& chunk) {
    if (chunk.evictable_) unlink(chunk);
}

void ChunkPool::release(Chunk* chunk) {
    if (chunk->evictable_) unlink(*chunk);
    bytes_ -= chunk->capacity();
    chunk->tail = nullptr;
    chunk->drop();
    admit_next();
}

void ChunkPool::unlink(Chunk& chunk) {
    (chunk.older_ ? chunk.older_->newer_ : oldest_) = chunk.newer_;
    (chunk.newer_ ? chunk.newer_->older_ : newest_) = chunk.older_;
    chunk.older_ = chunk.newer_ = nullptr;
    chunk.evictable_ = false;
    bytes_evictable_ -= chunk.capacity();
}

}  // namespace engine
}  // namespace rafka
