#include "protocol/messages/describe_producers.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DescribeProducersRequest>;
template struct rafka::wire::Codec<rafka::protocol::DescribeProducersResponse>;
