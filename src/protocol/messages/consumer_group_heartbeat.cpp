#include "protocol/messages/consumer_group_heartbeat.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::ConsumerGroupHeartbeatRequest>;
template struct rafka::wire::Codec<rafka::protocol::ConsumerGroupHeartbeatResponse>;
