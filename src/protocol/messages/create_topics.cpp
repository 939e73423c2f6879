#include "protocol/messages/create_topics.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::CreateTopicsRequest>;
template struct rafka::wire::Codec<rafka::protocol::CreateTopicsResponse>;
