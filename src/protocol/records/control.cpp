#include "protocol/records/control.hpp"

#include "wire/codec.hpp"

namespace rafka::protocol {

Result<ControlType> read_control_key(Bytes key) {
    // A later version of the key may be longer.
    if (key.size() < 4 || load_be<int16_t>(key.data()) < 0) return fail(Errc::malformed);
    return ControlType(load_be<int16_t>(key.data() + 2));
}

std::array<std::byte, 4> control_key(ControlType type) {
    std::array<std::byte, 4> key;
    store_be(key.data(), int16_t(0));
    store_be(key.data() + 2, int16_t(type));
    return key;
}

}  // namespace rafka::protocol

namespace rafka::wire {

using namespace protocol;

template struct Codec<LeaderChangeRecord>;
template struct Codec<SnapshotHeaderRecord>;
template struct Codec<SnapshotFooterRecord>;
template struct Codec<KRaftVersionRecord>;
template struct Codec<VotersRecord>;
template struct Codec<EndTransactionMarker>;

}  // namespace rafka::wire
