#include "protocol/messages/fetch.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::FetchRequest>;
template struct rafka::wire::Codec<rafka::protocol::FetchResponse>;
