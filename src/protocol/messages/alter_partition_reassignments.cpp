#include "protocol/messages/alter_partition_reassignments.hpp"

#include "wire/codec.hpp"

template struct rafka::wire::Codec<rafka::protocol::AlterPartitionReassignmentsRequest>;
template struct rafka::wire::Codec<rafka::protocol::AlterPartitionReassignmentsResponse>;
