#include "protocol/messages/offset_fetch.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::OffsetFetchRequest>;
template struct rafka::wire::Codec<rafka::protocol::OffsetFetchResponse>;
