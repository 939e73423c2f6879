#include "protocol/messages/describe_groups.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DescribeGroupsRequest>;
template struct rafka::wire::Codec<rafka::protocol::DescribeGroupsResponse>;
