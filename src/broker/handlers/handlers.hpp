#pragma once

// One function per API, each in a source of its name. It reads its message from the request and makes its answer
// (request.hpp); it runs on the loop of the connection. Malformed: the message could not be read, and the connection ends.

#include "broker/request.hpp"
#include "broker/shard.hpp"

namespace rafka::broker::handlers {

Task<Result<>> produce(Shard& shard, Request& request);
Task<Result<>> fetch(Shard& shard, Request& request);
Task<Result<>> list_offsets(Shard& shard, Request& request);
Result<> metadata(Shard& shard, Request& request);
Result<> api_versions(Shard& shard, Request& request);
Task<Result<>> create_topics(Shard& shard, Request& request);
Task<Result<>> delete_topics(Shard& shard, Request& request);
Task<Result<>> init_producer_id(Shard& shard, Request& request);
Task<Result<>> offset_for_leader_epoch(Shard& shard, Request& request);
Result<> describe_configs(Shard& shard, Request& request);
Task<Result<>> alter_configs(Shard& shard, Request& request);
Task<Result<>> create_partitions(Shard& shard, Request& request);
Task<Result<>> incremental_alter_configs(Shard& shard, Request& request);
Result<> describe_cluster(Shard& shard, Request& request);
Result<> describe_topic_partitions(Shard& shard, Request& request);

}  // namespace rafka::broker::handlers
