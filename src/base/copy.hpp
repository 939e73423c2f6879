#pragma once

// Copies of record bytes on their way from a socket to the log. All of them are made here, so that they can be counted.

#include <rafka/bytes.hpp>

#include <cstdint>
#include <cstring>

namespace rafka {

// Bytes that this thread has copied so far.
inline thread_local uint64_t record_bytes_copied = 0;

inline void copy_records(std::byte* to, Bytes from) {
    std::memcpy(to, from.data(), from.size());
    record_bytes_copied += from.size();
}

}  // namespace rafka
