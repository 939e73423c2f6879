#include "protocol/messages/list_offsets.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::ListOffsetsRequest>;
template struct rafka::wire::Codec<rafka::protocol::ListOffsetsResponse>;
