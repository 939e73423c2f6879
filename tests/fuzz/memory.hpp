#pragma once

// How much memory was taken while it lives, at its peak. Sanitizers count; without one it is always zero.

#include <cstddef>

namespace rafka::fuzz {

class PeakMemory {
public:
    PeakMemory();
    ~PeakMemory();
    PeakMemory(const PeakMemory&) = delete;
    PeakMemory& operator=(const PeakMemory&) = delete;

    // More than there was at the beginning.
    size_t peak() const;
};

}  // namespace rafka::fuzz
