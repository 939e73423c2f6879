#include "protocol/messages/list_partition_reassignments.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::ListPartitionReassignmentsRequest>;
template struct rafka::wire::Codec<rafka::protocol::ListPartitionReassignmentsResponse>;
