#pragma once

// File operations by ordinary system calls: on Epoll's worker threads, and for what io_uring does not have.

#include <rafka/io.hpp>

namespace rafka::io {

// Requires an operation on files. Bytes, a descriptor, 0, or -errno.
int32_t perform(const Operation& operation);

// open(2)'s flags for flag::...
int open_flags(uint32_t flags);
// pwritev2(2)'s flags.
int write_flags(uint32_t flags);
inline constexpr unsigned open_mode = 0644;
inline constexpr unsigned directory_mode = 0755;

}  // namespace rafka::io
