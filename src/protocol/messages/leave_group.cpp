#include "protocol/messages/leave_group.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::LeaveGroupRequest>;
template struct rafka::wire::Codec<rafka::protocol::LeaveGroupResponse>;
