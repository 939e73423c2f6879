#include "protocol/messages/list_config_resources.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::ListConfigResourcesRequest>;
template struct rafka::wire::Codec<rafka::protocol::ListConfigResourcesResponse>;
