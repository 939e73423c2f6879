#include "fuzz/memory.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cstdint>

extern "C" {
[[gnu::weak]] int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, size_t),
                                                            void (*on_free)(const volatile void*));
[[gnu::weak]] size_t __sanitizer_get_allocated_size(const volatile void*);
}

namespace rafka::fuzz {
namespace {

// One thread: targets have no other.
bool counting = false;
int64_t now = 0;
int64_t most = 0;

void on_malloc(const volatile void*, size_t size) {
    if (!counting) return;
    now += int64_t(size);
    most = std::max(most, now);
}

void on_free(const volatile void* memory) {
    if (counting && memory) now -= int64_t(__sanitizer_get_allocated_size(memory));
}

bool install() { return __sanitizer_install_malloc_and_free_hooks && __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0; }

}  // namespace

PeakMemory::PeakMemory() {
    static const bool installed = install();
    ASSERT(!counting);
    now = most = 0;
    counting = installed;
}

PeakMemory::~PeakMemory() { counting = false; }

size_t PeakMemory::peak() const { return size_t(most); }

}  // namespace rafka::fuzz
