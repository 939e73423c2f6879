#include "protocol/messages/alter_configs.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::AlterConfigsRequest>;
template struct rafka::wire::Codec<rafka::protocol::AlterConfigsResponse>;
