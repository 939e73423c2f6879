#pragma once

// From a request to the handler of its API.

#include "broker/request.hpp"
#include "broker/shard.hpp"

namespace rafka::broker {

// Makes the answer. A failure means that the connection must end.
Task<Result<>> dispatch(Shard& shard, Request& request);

}  // namespace rafka::broker
