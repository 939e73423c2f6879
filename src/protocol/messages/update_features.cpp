#include "protocol/messages/update_features.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::UpdateFeaturesRequest>;
template struct rafka::wire::Codec<rafka::protocol::UpdateFeaturesResponse>;
