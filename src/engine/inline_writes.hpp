#pragma once

// Whether durable direct writes of a directory complete without a worker thread of the kernel: that depends on the kernel
// and the file system, and cannot be asked, only tried.

#include <rafka/io.hpp>
#include <rafka/task.hpp>

#include <cstdint>
#include <string>

namespace rafka::engine {

// How often the ring workers of this process have slept since they exist. Each operation they are given adds one or more.
Task<uint64_t> ring_worker_sleeps(Io& io);
// Writes a small file and removes it. False without a ring.
Task<bool> probe_inline_writes(Io& io, std::string directory);

}  // namespace rafka::engine
