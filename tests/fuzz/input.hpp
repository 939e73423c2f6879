#pragma once

// Takes a target's input apart: a number here, some bytes there. An input that is used up gives zeros, so that every input
// means something and the short ones mean the least.

#include "base/endian.hpp"

#include <rafka/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace rafka::fuzz {

class Input {
public:
    Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const std::byte*>(data), size) {}

    bool empty() const { return rest_.empty(); }
    Bytes rest() const { return rest_; }

    template <class T>
    T number() {
        std::byte bytes[sizeof(T)]{};
        auto taken = take(sizeof(T));
        if (!taken.empty()) std::memcpy(bytes, taken.data(), taken.size());
        return load_be<T>(bytes);
    }
    uint8_t byte() { return number<uint8_t>(); }
    // One of `count` possibilities.
    size_t choice(size_t count) { return byte() % count; }
    // As many as that, or what is left.
    Bytes take(size_t count) {
        auto taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

private:
    Bytes rest_;
};

}  // namespace rafka::fuzz
