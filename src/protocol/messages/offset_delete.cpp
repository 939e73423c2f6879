#include "protocol/messages/offset_delete.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::OffsetDeleteRequest>;
template struct rafka::wire::Codec<rafka::protocol::OffsetDeleteResponse>;
