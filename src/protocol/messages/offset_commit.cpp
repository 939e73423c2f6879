#include "protocol/messages/offset_commit.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::OffsetCommitRequest>;
template struct rafka::wire::Codec<rafka::protocol::OffsetCommitResponse>;
