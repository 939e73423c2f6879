#pragma once

// From a frame to the handler of its API.

#include "broker/request.hpp"
#include "broker/shard.hpp"

namespace rafka::broker {

// Reads the header of request.frame. Malformed, or unsupported where key or version is none that we serve: there is no
// answer that the client would understand, so the connection must end. Only ApiVersions is understood at any version.
Result<> begin(Request& request);

// Makes the answer. A failure means that the connection must end.
Task<Result<>> dispatch(Shard& shard, Request& request);

}  // namespace rafka::broker
