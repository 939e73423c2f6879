#include "protocol/messages/describe_log_dirs.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DescribeLogDirsRequest>;
template struct rafka::wire::Codec<rafka::protocol::DescribeLogDirsResponse>;
