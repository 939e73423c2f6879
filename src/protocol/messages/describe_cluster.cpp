#include "protocol/messages/describe_cluster.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DescribeClusterRequest>;
template struct rafka::wire::Codec<rafka::protocol::DescribeClusterResponse>;
