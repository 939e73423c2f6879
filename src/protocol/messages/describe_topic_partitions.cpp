#include "protocol/messages/describe_topic_partitions.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DescribeTopicPartitionsRequest>;
template struct rafka::wire::Codec<rafka::protocol::DescribeTopicPartitionsResponse>;
