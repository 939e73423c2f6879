#include "protocol/messages/init_producer_id.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::InitProducerIdRequest>;
template struct rafka::wire::Codec<rafka::protocol::InitProducerIdResponse>;
