#pragma once

// Aligned memory that holds the newest bytes of logs: first what is being written, then the read cache of the tail.
// A chunk is a window on a segment file, block for block, and a batch never crosses from one chunk into the next. What
// lies below `written` never changes; bytes above may be appended, by the loop that owns the log.

#include "io/buffers.hpp"
#include "io/slabs.hpp"

#include <rafka/bytes.hpp>
#include <rafka/loop.hpp>
#include <rafka/types.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace rafka::engine {

class Segment;
class Tail;
struct ColdShared;

// What direct writes are aligned to, in memory and in the file.
inline constexpr uint64_t block_size = 4096;
constexpr uint64_t block_floor(uint64_t x) { return x & ~(block_size - 1); }
constexpr uint64_t block_ceil(uint64_t x) { return block_floor(x + block_size - 1); }

// Where the memory of large chunks comes from. Chunks keep it, who may outlive their pool by a pin.
struct ChunkMemory {
    io::Slabs of_busy{256 << 10};     // What the chunks of a log grow to.
    io::Slabs of_large_batches{io::Slabs::slab_size};
};

class Chunk {
public:
    // One count, the caller's. Memory that cannot be had ends the process, as everywhere.
    static Chunk* make(size_t capacity);
    // At least of that capacity, of memory that is used again where chunks of about that size are common.
    static Chunk* make(size_t capacity, const std::shared_ptr<ChunkMemory>& memory);
    static void* operator new(size_t size) { return detail::allocate_frame(size); }
    static void operator delete(void* chunk, size_t size) noexcept { detail::free_frame(chunk, size); }
    Chunk(const Chunk&) = delete;
    Chunk& operator=(const Chunk&) = delete;

    void take() { count_.fetch_add(1, std::memory_order_relaxed); }
    void drop();  // From any thread.

    std::byte* data() { return data_; }
    size_t capacity() const { return capacity_; }
    Bytes bytes(size_t from, size_t to) const { return {data_ + from, to - from}; }

    // Of a chunk in a log's tail; a cold read leaves them alone, but for `next`.
    Tail* tail = nullptr;
    Segment* segment = nullptr;
    uint64_t position = 0;      // In the segment, of the first byte. A multiple of the block size.
    size_t begin = 0;           // The first batch of its own. What lies before is the end of an older batch, in the same block.
    size_t end = 0;             // Filled so far.
    size_t written = 0;         // On stable storage so far.
    size_t missing = 0;         // So many bytes at the start must be read from the file before the block can be written.
    Offset first;               // Base offset of the batch at `begin`.
    Chunk* previous = nullptr;
    Chunk* next = nullptr;      // The newer neighbour in the log.

    uint64_t end_position() const { return position + end; }

private:
    friend class ChunkPool;
    friend class ColdMemory;
    explicit Chunk(io::Buffer buffer);
    Chunk(io::Slabs& slabs, std::shared_ptr<ChunkMemory> memory);
    ~Chunk();

    std::atomic<uint32_t> count_{1};
    ColdShared* cold_ = nullptr;  // Where it goes instead of being freed.
    std::byte* data_;
    size_t capacity_;
    io::Buffer buffer_;               // One of both.
    io::Slabs* slabs_ = nullptr;
    io::Slabs::Block block_;
    std::shared_ptr<ChunkMemory> memory_;
    Chunk* older_ = nullptr;  // Among those that may be evicted.
    Chunk* newer_ = nullptr;
    bool evictable_ = false;
};

// The memory of one loop's tails, with a bound. Chunks that are wholly written stay as a cache until room is needed.
class ChunkPool {
public:
    ChunkPool(Loop& loop, uint64_t bytes_max) : loop_(loop), bytes_max_(bytes_max), memory_(std::make_shared<ChunkMemory>()) {}
    ~ChunkPool();
    ChunkPool(const ChunkPool&) = delete;

    // Waits, in order of arrival, until `size` more bytes may be taken in. The caller takes them before it waits for
    // anything else, and then calls admit_next().
    class [[nodiscard]] Room {
    public:
        Room(ChunkPool& pool, size_t size) : pool_(pool), size_(size) {}
        Room(const Room&) = delete;
        bool await_ready() const { return !pool_.first_waiting_ && !pool_.admitted_ && pool_.fits(size_); }
        void await_suspend(std::coroutine_handle<> waiter);
        void await_resume() const { pool_.admitted_ = false; }

    private:
        friend class ChunkPool;
        ChunkPool& pool_;
        size_t size_;
        std::coroutine_handle<> waiter_{};
        Room* next_ = nullptr;
    };
    Room room(size_t size) { return Room(*this, size); }
    void admit_next();

    // A chunk for a log's tail. Evicts the oldest written ones when the bound is reached.
    Chunk* make(size_t capacity);
    // Its bytes are all written: it may be evicted from now on. / It takes bytes again.
    void keep_while_room(Chunk& chunk);
    void hold(Chunk& chunk);
    // Out of the log's tail; the memory goes with the last pin.
    void release(Chunk* chunk);

    uint64_t bytes() const { return bytes_; }
    uint64_t bytes_evictable() const { return bytes_evictable_; }

private:
    bool fits(size_t size) const {
        auto held = bytes_ - bytes_evictable_;
        return held == 0 || held + size <= bytes_max_;
    }
    void unlink(Chunk& chunk);

    Loop& loop_;
    uint64_t bytes_max_;
    std::shared_ptr<ChunkMemory> memory_;
    uint64_t bytes_ = 0;
    uint64_t bytes_evictable_ = 0;
    Room* first_waiting_ = nullptr;
    Room* last_waiting_ = nullptr;
    bool admitted_ = false;  // One that waited is on its way.
    Chunk* oldest_ = nullptr;
    Chunk* newest_ = nullptr;
};

}  // namespace rafka::engine
