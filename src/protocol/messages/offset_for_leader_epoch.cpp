#include "protocol/messages/offset_for_leader_epoch.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::OffsetForLeaderEpochRequest>;
template struct rafka::wire::Codec<rafka::protocol::OffsetForLeaderEpochResponse>;
