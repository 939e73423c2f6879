#include "protocol/messages/create_partitions.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::CreatePartitionsRequest>;
template struct rafka::wire::Codec<rafka::protocol::CreatePartitionsResponse>;
