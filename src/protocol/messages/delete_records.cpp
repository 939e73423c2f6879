#include "protocol/messages/delete_records.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::DeleteRecordsRequest>;
template struct rafka::wire::Codec<rafka::protocol::DeleteRecordsResponse>;
