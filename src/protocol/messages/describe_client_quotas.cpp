#include "protocol/messages/describe_client_quotas.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DescribeClientQuotasRequest>;
template struct rafka::wire::Codec<rafka::protocol::DescribeClientQuotasResponse>;
