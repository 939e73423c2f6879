#include "protocol/messages/elect_leaders.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::ElectLeadersRequest>;
template struct rafka::wire::Codec<rafka::protocol::ElectLeadersResponse>;
