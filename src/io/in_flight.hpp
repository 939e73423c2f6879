#pragma once

// AddressSanitizer does not see the kernel write into memory. So the ring says it: buffers must be addressable when an
// operation begins and still be so when it ends, and what the kernel writes to belongs to nobody else meanwhile.
// Without AddressSanitizer these are nothing.

#include <rafka/io.hpp>

namespace rafka::io {

#ifdef RAFKA_ASAN
void lend_buffers(const Operation& operation);
void return_buffers(const Operation& operation);
#else
inline void lend_buffers(const Operation&) {}
inline void return_buffers(const Operation&) {}
#endif

}  // namespace rafka::io
