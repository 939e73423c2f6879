#include "cost/heap_counter.hpp"

#include <cerrno>
#include <cstddef>

namespace {
thread_local bool counting = false;
thread_local uint64_t count = 0;
}  // namespace

namespace rafka::cost {
void count_allocations(bool counts) { counting = counts; }
uint64_t allocations() { return count; }
}  // namespace rafka::cost

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// In front of glibc's, which offers its own under these names.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t size) {
    count += counting;
    return __libc_malloc(size);
}
void* calloc(size_t number, size_t size) {
    count += counting;
    return __libc_calloc(number, size);
}
void* realloc(void* old, size_t size) {
    count += counting;
    return __libc_realloc(old, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
    count += counting;
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
    count += counting;
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
}
#endif
