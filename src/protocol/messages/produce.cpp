#include "protocol/messages/produce.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::ProduceRequest>;
template struct rafka::wire::Codec<rafka::protocol::ProduceResponse>;
