#include "protocol/messages/describe_quorum.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DescribeQuorumRequest>;
template struct rafka::wire::Codec<rafka::protocol::DescribeQuorumResponse>;
