#include "engine/cold_memory.hpp"

#include "base/assert.hpp"

namespace rafka::engine {

namespace {
// As long as a reader waits for room; then it makes do with a batch.
constexpr Duration patience = std::chrono::milliseconds(100);
// Of the bound, what is kept when nobody reads.
constexpr uint64_t kept_share = 8;
}  // namespace

ColdMemory::ColdMemory(Loop& loop, uint64_t bytes_max) : loop_(loop), bytes_max_(bytes_max), shared_(new ColdShared(loop)) {}

ColdMemory::~ColdMemory() {
    ASSERT(shared_->waiting == 0);
    for (auto& kept : kept_) {
        for (auto* chunk : kept) delete chunk;
    }
    leave(*shared_);
}

size_t ColdMemory::class_of(size_t size) {
    size_t i = 0;
    while (i < sizes.size() && sizes[i] < size) ++i;
    return i;
}

Chunk* ColdMemory::try_take(size_t size) {
    auto of = class_of(size);
    auto capacity = of < sizes.size() ? sizes[of] : block_ceil(size);
    auto out = shared_->bytes.load();
    // One that is larger than all of it goes alone.
    if (out > 0 && out + capacity > bytes_max_) return nullptr;
    return take_anyway(size);
}

Chunk* ColdMemory::take_anyway(size_t size) {
    take_returned();
    auto of = class_of(size);
    Chunk* chunk = nullptr;
    if (of < sizes.size() && !kept_[of].empty()) {
        chunk = kept_[of].back();
        kept_[of].pop_back();
        bytes_kept_ -= chunk->capacity();
    } else {
        chunk = Chunk::make(of < sizes.size() ? sizes[of] : size);
    }
    chunk->count_ = 1;
    chunk->cold_ = shared_;
    ++shared_->users;
    shared_->bytes += chunk->capacity();
    return chunk;
}

Task<Chunk*> ColdMemory::take(size_t size) {
    auto deadline = loop_.now() + patience;
    auto& shared = *shared_;
    ++shared.waiting;
    auto* chunk = try_take(size);
    while (!chunk && loop_.now() < deadline) {
        co_await shared.freed.wait_until(deadline);
        chunk = try_take(size);
    }
    --shared.waiting;
    co_return chunk;
}

// From any loop.
void ColdMemory::give_back(Chunk* chunk) {
    auto* shared = chunk->cold_;
    shared->bytes -= chunk->capacity();
    chunk->next = shared->returned.load();
    while (!shared->returned.compare_exchange_weak(chunk->next, chunk)) {}
    if (shared->waiting > 0) shared->freed.ring();
    leave(*shared);
}

void ColdMemory::leave(ColdShared& shared) {
    if (--shared.users > 0) return;
    for (auto* chunk = shared.returned.load(); chunk;) {
        auto* next = chunk->next;
        delete chunk;
        chunk = next;
    }
    delete &shared;
}

void ColdMemory::take_returned() {
    for (auto* chunk = shared_->returned.exchange(nullptr); chunk;) {
        auto* next = chunk->next;
        auto of = class_of(chunk->capacity());
        bool keeps = of < sizes.size() && bytes_kept_ + chunk->capacity() <= bytes_max_ / kept_share;
        if (keeps) {
            kept_[of].push_back(chunk);
            bytes_kept_ += chunk->capacity();
        } else {
            delete chunk;
        }
        chunk = next;
    }
}

}  // namespace rafka::engine
