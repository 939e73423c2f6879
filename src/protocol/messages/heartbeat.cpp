#include "protocol/messages/heartbeat.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::HeartbeatRequest>;
template struct rafka::wire::Codec<rafka::protocol::HeartbeatResponse>;
