#include "protocol/messages/describe_configs.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DescribeConfigsRequest>;
template struct rafka::wire::Codec<rafka::protocol::DescribeConfigsResponse>;
