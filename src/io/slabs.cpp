#include "io/slabs.hpp"

#include "base/assert.hpp"

#include <sys/mman.h>

#include <bit>
#include <new>

#ifdef RAFKA_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace rafka::io {
namespace {

// An empty slab is kept for the next one who needs it; more go back to the machine.
constexpr size_t empty_max = 1;

void poison([[maybe_unused]] void* memory, [[maybe_unused]] size_t size) {
#ifdef RAFKA_ASAN
    ASAN_POISON_MEMORY_REGION(memory, size);
#endif
}
void unpoison([[maybe_unused]] void* memory, [[maybe_unused]] size_t size) {
#ifdef RAFKA_ASAN
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
#endif
}

}  // namespace

struct Slabs::Slab {
    std::byte* memory;
    uint32_t free;  // A bit for each block.
    Slab* next = nullptr;
    Slab* previous = nullptr;
};

Slabs::Slabs(size_t block_size)
    : block_size_(block_size), all_free_(uint32_t((uint64_t(1) << (slab_size / block_size)) - 1)) {
    ASSERT(std::has_single_bit(block_size) && block_size <= slab_size && block_size >= slab_size / 32);
}

Slabs::~Slabs() {
    ASSERT(empty_ == count_);
    while (auto* slab = first_) {
        unlink(*slab);
        unpoison(slab->memory, slab_size);
        munmap(slab->memory, slab_size);
        delete slab;
    }
}

std::byte* Slabs::map_slab() {
    // Twice as much holds an aligned one; the rest goes back untouched.
    auto* memory = mmap(nullptr, 2 * slab_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    auto* begin = static_cast<std::byte*>(memory);
    auto before = (slab_size - reinterpret_cast<uintptr_t>(begin) % slab_size) % slab_size;
    if (before > 0) munmap(begin, before);
    if (before < slab_size) munmap(begin + before + slab_size, slab_size - before);
    // Refused where there are no large pages; then it is many small ones.
    madvise(begin + before, slab_size, MADV_HUGEPAGE);
    return begin + before;
}

void Slabs::link(Slab& slab) {
    slab.previous = nullptr;
    slab.next = first_;
    if (first_) first_->previous = &slab;
    first_ = &slab;
}

void Slabs::unlink(Slab& slab) {
    (slab.previous ? slab.previous->next : first_) = slab.next;
    if (slab.next) slab.next->previous = slab.previous;
}

Slabs::Block Slabs::take() {
    std::lock_guard guard(mutex_);
    if (!first_) {
        link(*new Slab{map_slab(), all_free_});
        poison(first_->memory, slab_size);
        ++count_;
        ++empty_;
    }
    auto& slab = *first_;
    if (slab.free == all_free_) --empty_;
    auto index = size_t(std::countr_zero(slab.free));
    slab.free &= slab.free - 1;
    if (slab.free == 0) unlink(slab);
    auto* data = slab.memory + index * block_size_;
    unpoison(data, block_size_);
    return {data, &slab};
}

void Slabs::give_back(Block block) {
    std::lock_guard guard(mutex_);
    auto& slab = *block.slab;
    auto index = size_t(block.data - slab.memory) / block_size_;
    ASSERT((slab.free >> index & 1) == 0);
    poison(block.data, block_size_);
    if (slab.free == 0) link(slab);
    slab.free |= uint32_t(1) << index;
    if (slab.free != all_free_) return;
    if (empty_ < empty_max) {
        ++empty_;
        return;
    }
    unlink(slab);
    unpoison(slab.memory, slab_size);
    munmap(slab.memory, slab_size);
    delete &slab;
    --count_;
}

size_t Slabs::slab_count() const {
    std::lock_guard guard(mutex_);
    return count_;
}

}  // namespace rafka::io
