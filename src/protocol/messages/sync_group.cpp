#include "protocol/messages/sync_group.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::SyncGroupRequest>;
template struct rafka::wire::Codec<rafka::protocol::SyncGroupResponse>;
