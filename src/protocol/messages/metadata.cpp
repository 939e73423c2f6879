#include "protocol/messages/metadata.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::MetadataRequest>;
template struct rafka::wire::Codec<rafka::protocol::MetadataResponse>;
