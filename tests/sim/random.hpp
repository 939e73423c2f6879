#pragma once

// The simulator's only source of chance: the same seed gives the same numbers with every compiler and library.

#include "base/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace rafka::sim {

class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}

    // splitmix64: every state is a good one, so seeds may be 1, 2, 3, ...
    uint64_t next() {
        uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
    }
    uint64_t below(uint64_t n) {
        ASSERT(n > 0);
        return next() % n;
    }
    uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }  // Both included.
    bool chance(double probability) { return double(next() >> 11) * 0x1p-53 < probability; }
    // A stream of its own, so that more draws here change nothing there.
    Random fork() { return Random(next()); }

    template <class Container>
    void shuffle(Container& all) {
        for (size_t n = all.size(); n > 1; --n) std::swap(all[n - 1], all[below(n)]);
    }

private:
    uint64_t state_;
};

}  // namespace rafka::sim
