#pragma once

// The newest part of one log in memory, as a list of chunks: batches go in at the new end, the writer takes blocks from
// where it stands, reads come from anywhere in it, and the pool takes chunks away at the old end.

#include "engine/chunks.hpp"

#include <rafka/partition.hpp>

#include <sys/uio.h>

#include <cstdint>
#include <vector>

namespace rafka::engine {

class Tail {
public:
    explicit Tail(ChunkPool& pool) : pool_(pool) {}
    ~Tail() { clear(); }
    Tail(const Tail&) = delete;
    Tail& operator=(const Tail&) = delete;

    // Room for a batch of `size` bytes at the end of the segment, to be filled at once. Requires size > 0.
    MutableBytes append(Segment& segment, Offset base_offset, size_t size);

    bool has_unwritten() const { return unwritten_ != nullptr; }
    Segment* segment_to_write() const { return unwritten_ ? unwritten_->segment : nullptr; }
    // Bytes at the start of the block that is to be written next which only the file has.
    Chunk* chunk_to_write() const { return unwritten_; }

    // What to write next: whole blocks of one segment, from unchanging memory. The last one is copied to a block of its
    // own, since the chunk may take more bytes while it is being written.
    struct Write {
        std::vector<iovec> buffers;
        uint64_t position = 0;
        uint64_t size = 0;        // A multiple of the block size.
        uint64_t end = 0;         // Of the batches, in the segment.
        Offset end_offset;        // Behind the last batch.
        Chunk* last = nullptr;
        size_t last_end = 0;
        // Room for one block, and how much at its start may be other than zero.
        io::Buffer block{block_size};
        size_t block_used = block_size;
    };
    void next_write(Write& write, uint64_t size_max, Offset log_end) const;
    // It is on stable storage.
    void written(const Write& write);

    // The chunk that holds the batch with this offset, or null.
    Chunk* find(Offset offset) const;
    Chunk* oldest() const { return oldest_; }
    Chunk* newest() const { return newest_; }

    // For the pool: the oldest goes. Requires that it is this one and that it is written.
    void drop_oldest(Chunk& chunk);
    // Lets go of everything that is written, e.g. of a log that has become idle.
    void drop_written();
    void clear();

private:
    Chunk* add(Segment& segment, uint64_t position, size_t size);

    ChunkPool& pool_;
    Chunk* oldest_ = nullptr;
    Chunk* newest_ = nullptr;
    Chunk* unwritten_ = nullptr;  // The first that is not wholly written.
    uint32_t next_capacity_ = 0;
};

}  // namespace rafka::engine
