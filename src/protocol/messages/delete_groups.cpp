#include "protocol/messages/delete_groups.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DeleteGroupsRequest>;
template struct rafka::wire::Codec<rafka::protocol::DeleteGroupsResponse>;
