#include "protocol/messages/find_coordinator.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::FindCoordinatorRequest>;
template struct rafka::wire::Codec<rafka::protocol::FindCoordinatorResponse>;
