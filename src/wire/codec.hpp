#pragma once

// The bodies of wire::Codec. Included by the one source that makes a message's code, and by nobody else.

#include "base/assert.hpp"
#include "wire/describe.hpp"
#include "wire/message.hpp"
#include "wire/reader.hpp"
#include "wire/writer.hpp"

namespace rafka::wire {

template <class M>
Result<M> Codec<M>::read(Bytes& bytes, Arena& arena, int16_t version) {
    ASSERT(M::schema.contains(version));
    M message;
    Reader reader(bytes, arena, version, M::schema.flexible(version));
    reader.part(message);
    if (!reader.ok()) return rafka::fail(Errc::malformed);
    bytes = reader.rest();
    return message;
}

template <class M>
void Codec<M>::write(Payload& out, const M& message, int16_t version) {
    ASSERT(M::schema.contains(version));
    Writer writer(out, version, M::schema.flexible(version));
    writer.part(message);
}

template <class M>
std::string Codec<M>::describe(const M& message, int16_t version) {
    Describer describer(version);
    describer.part(message);
    return describer.take();
}

}  // namespace rafka::wire
