#include "protocol/messages/delete_topics.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DeleteTopicsRequest>;
template struct rafka::wire::Codec<rafka::protocol::DeleteTopicsResponse>;
