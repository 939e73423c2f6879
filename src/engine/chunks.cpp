#include "engine/chunks.hpp"

#include "base/assert.hpp"
#include "engine/cold_memory.hpp"
#include "engine/tail.hpp"

#include <rafka/partition.hpp>

#include <cstdlib>
#include <cstring>
#include <new>

namespace rafka {

Pin::Pin(engine::Chunk* chunk) : chunk_(chunk) { chunk_->take(); }
Pin::~Pin() {
    if (chunk_) chunk_->drop();
}

namespace engine {

Chunk::Chunk(size_t capacity) : data_(static_cast<std::byte*>(std::aligned_alloc(block_size, capacity))), capacity_(capacity) {
    if (!data_) throw std::bad_alloc();
}
Chunk::~Chunk() { std::free(data_); }

Chunk* Chunk::make(size_t capacity) { return new Chunk(block_ceil(capacity)); }

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
    auto* chunk = Chunk::make(capacity);
    bytes_ += chunk->capacity();
    while (bytes_ > bytes_max_ && oldest_) {
        auto* evicted = oldest_;
        evicted->tail->drop_oldest(*evicted);
    }
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
