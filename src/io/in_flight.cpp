#include "io/in_flight.hpp"

#ifdef RAFKA_ASAN

#include "base/assert.hpp"

#include <sanitizer/asan_interface.h>

namespace rafka::io {
namespace {

constexpr uint8_t user_poisoned = 0xf7;

bool kernel_writes(const Operation& operation) {
    return operation.code == Code::read || operation.code == Code::receive;
}

bool is_addressable(const iovec& buffer) {
    return buffer.iov_len == 0 || __asan_region_is_poisoned(buffer.iov_base, buffer.iov_len) == nullptr;
}

// Reads the sanitizer's own memory, unseen by it.
__attribute__((no_sanitize("address", "undefined"), noinline)) uint8_t mark_of(uintptr_t address) {
    size_t scale = 0, offset = 0;
    __asan_get_shadow_mapping(&scale, &offset);
    return *reinterpret_cast<const uint8_t*>((address >> scale) + offset);
}

// Whether the memory still carries our mark. Freed or reused, it carries another. Its first and last bytes may share
// eight with a neighbour, which have no mark of their own.
bool is_still_lent(const iovec& buffer) {
    auto begin = reinterpret_cast<uintptr_t>(buffer.iov_base);
    auto first = (begin + 7) & ~uintptr_t(7);
    auto end = (begin + buffer.iov_len) & ~uintptr_t(7);
    return first >= end || (mark_of(first) == user_poisoned && mark_of(end - 8) == user_poisoned);
}

}  // namespace

void lend_buffers(const Operation& operation) {
    for (auto& buffer : operation.buffers) {
        ASSERT(is_addressable(buffer));
        if (kernel_writes(operation)) ASAN_POISON_MEMORY_REGION(buffer.iov_base, buffer.iov_len);
    }
}

void return_buffers(const Operation& operation) {
    for (auto& buffer : operation.buffers) {
        if (kernel_writes(operation)) {
            ASSERT(is_still_lent(buffer));
            ASAN_UNPOISON_MEMORY_REGION(buffer.iov_base, buffer.iov_len);
        } else {
            ASSERT(is_addressable(buffer));
        }
    }
}

}  // namespace rafka::io

#endif
