#pragma once

// Counts what is allocated on the heap, by malloc as by new, while it is told to.

#include <cstdint>

namespace rafka::cost {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool counts_allocations = false;
#else
inline constexpr bool counts_allocations = true;
#endif

// Of this thread.
void count_allocations(bool counts);
uint64_t allocations();

}  // namespace rafka::cost
