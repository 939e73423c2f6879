#include "protocol/messages/incremental_alter_configs.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::IncrementalAlterConfigsRequest>;
template struct rafka::wire::Codec<rafka::protocol::IncrementalAlterConfigsResponse>;
