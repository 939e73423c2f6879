#include "protocol/messages/consumer_group_describe.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::ConsumerGroupDescribeRequest>;
template struct rafka::wire::Codec<rafka::protocol::ConsumerGroupDescribeResponse>;
