#include "protocol/messages/api_versions.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::ApiVersionsRequest>;
template struct rafka::wire::Codec<rafka::protocol::ApiVersionsResponse>;
