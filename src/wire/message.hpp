#pragma once

// Whole messages: read, written, described. Only declared here: each message's code is made in one source of its own
// (`template struct wire::Codec<FetchRequest>;` there, see codec.hpp), so handlers compile without it.

#include "wire/arena.hpp"
#include "wire/fields.hpp"
#include "wire/payload.hpp"

#include <rafka/result.hpp>

#include <string>

namespace rafka::wire {

template <class M>
struct Codec {
    static Result<M> read(Bytes& bytes, Arena& arena, int16_t version);
    static void write(Payload& out, const M& message, int16_t version);
    static std::string describe(const M& message, int16_t version);
};

// The message at the start of `bytes`, which then are what it left over. Its strings and byte fields are views of
// `bytes`, its arrays lie in `arena`. The only error is malformed. Requires a version within M::schema.
template <class M>
Result<M> read_some(Bytes& bytes, Arena& arena, int16_t version) {
    return Codec<M>::read(bytes, arena, version);
}

// The same, with nothing left over.
template <class M>
Result<M> read(Bytes bytes, Arena& arena, int16_t version) {
    auto message = Codec<M>::read(bytes, arena, version);
    if (message && !bytes.empty()) return fail(Errc::malformed);
    return message;
}

// Appends the message. Fields that the version does not know are left out; null where the version forbids it is a bug
// of the caller. Strings over 32 767 bytes are cut, since a name from a client may stand in an error message.
template <class M>
void write(Payload& out, const M& message, int16_t version) {
    Codec<M>::write(out, message, version);
}

// The fields of that version in the order of the wire, for log lines and tests: {1, "topic", [{0, null}], #0 7}.
template <class M>
std::string describe(const M& message, int16_t version) {
    return Codec<M>::describe(message, version);
}

}  // namespace rafka::wire
