#pragma once

// The floor of a broker on loopback, without a disk: receives frames, checks a CRC-32C over each Produce request and
// answers it; answers each Fetch request with 1 MiB of batches that lie ready.

#include "process.hpp"

namespace rafka::bench {

// A process of its own on `core`; sets the port it listens on.
Child start_floor(int core, int& port);

}  // namespace rafka::bench
