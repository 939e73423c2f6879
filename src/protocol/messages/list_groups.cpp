#include "protocol/messages/list_groups.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::ListGroupsRequest>;
template struct rafka::wire::Codec<rafka::protocol::ListGroupsResponse>;
