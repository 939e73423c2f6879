#include "protocol/messages/join_group.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::JoinGroupRequest>;
template struct rafka::wire::Codec<rafka::protocol::JoinGroupResponse>;
