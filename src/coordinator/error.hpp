#pragma once

// Why a group refuses. The broker turns each into Kafka's code of the same name.

#include <cstdint>

namespace rafka::coordinator {

enum class GroupError : uint8_t {
    none,
    coordinator_not_available,
    not_coordinator,
    unknown_member_id,
    fenced_instance_id,
    illegal_generation,
    rebalance_in_progress,
    inconsistent_group_protocol,
    member_id_required,
    group_max_size_reached,
    group_id_not_found,
    non_empty_group,
    unknown_server_error,
};

}  // namespace rafka::coordinator
