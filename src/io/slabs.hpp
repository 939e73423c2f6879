#pragma once

// Memory for I/O that comes and goes at a high rate: blocks of one size, cut from slabs that are kept. A slab is one large
// page where the machine has them. Fresh memory from the allocator would cost more than what is done with it: a page
// fault for each 4 KiB, and the kernel would look up and describe to the disk as many pages for each write.

#include <rafka/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace rafka::io {

class Slabs {
public:
    static constexpr size_t slab_size = 2 << 20;

    struct Slab;
    struct Block {
        std::byte* data = nullptr;
        Slab* slab = nullptr;
    };

    // `block_size`: a power of two, at most slab_size and at least a 32nd of it.
    explicit Slabs(size_t block_size);
    ~Slabs();  // Requires that every block is back.
    Slabs(const Slabs&) = delete;
    Slabs& operator=(const Slabs&) = delete;

    // From any thread. Memory that cannot be had ends the process, as everywhere.
    Block take();
    void give_back(Block block);

    size_t block_size() const { return block_size_; }
    size_t slab_count() const;

private:
    static std::byte* map_slab();
    void link(Slab& slab);
    void unlink(Slab& slab);

    const size_t block_size_;
    const uint32_t all_free_;
    mutable std::mutex mutex_;
    Slab* first_ = nullptr;  // Those that have free blocks.
    size_t empty_ = 0;       // Those that have nothing else.
    size_t count_ = 0;
};

}  // namespace rafka::io
