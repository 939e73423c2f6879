#pragma once

// What all stored records share. Every one of them is flexible from its first version.

#include "wire/message.hpp"

namespace rafka::protocol {

using wire::Array;
using wire::between;
using wire::every;
using wire::nullable_since;
using wire::since;
using wire::until;

constexpr wire::Schema stored(int16_t type, int16_t newest = 0) { return {type, 0, newest, 0}; }

}  // namespace rafka::protocol
