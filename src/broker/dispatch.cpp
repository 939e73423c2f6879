#include "broker/dispatch.hpp"

#include "broker/handlers/handlers.hpp"
#include "protocol/api.hpp"

namespace rafka::broker {

using protocol::ApiKey;

namespace {
// Of a handler that waits for nothing.
Task<Result<>> at_once(Result<> done) { co_return done; }
}  // namespace

// No default: the compiler asks about each new API. No coroutine: the handler's own is enough.
Task<Result<>> dispatch(Shard& shard, Request& request) {
    switch (ApiKey(request.header.api_key)) {
        case ApiKey::produce: return handlers::produce(shard, request);
        case ApiKey::fetch: return handlers::fetch(shard, request);
        case ApiKey::list_offsets: return handlers::list_offsets(shard, request);
        case ApiKey::metadata: return at_once(handlers::metadata(shard, request));
        case ApiKey::api_versions: return at_once(handlers::api_versions(shard, request));
        case ApiKey::create_topics: return handlers::create_topics(shard, request);
        case ApiKey::delete_topics: return handlers::delete_topics(shard, request);
        case ApiKey::init_producer_id: return handlers::init_producer_id(shard, request);
        case ApiKey::offset_for_leader_epoch: return handlers::offset_for_leader_epoch(shard, request);
        case ApiKey::describe_configs: return at_once(handlers::describe_configs(shard, request));
        case ApiKey::alter_configs: return handlers::alter_configs(shard, request);
        case ApiKey::create_partitions: return handlers::create_partitions(shard, request);
        case ApiKey::incremental_alter_configs: return handlers::incremental_alter_configs(shard, request);
        case ApiKey::describe_cluster: return at_once(handlers::describe_cluster(shard, request));
        case ApiKey::describe_topic_partitions: return at_once(handlers::describe_topic_partitions(shard, request));
        case ApiKey::offset_commit:
        case ApiKey::offset_fetch:
        case ApiKey::find_coordinator:
        case ApiKey::join_group:
        case ApiKey::heartbeat:
        case ApiKey::leave_group:
        case ApiKey::sync_group:
        case ApiKey::describe_groups:
        case ApiKey::list_groups:
        case ApiKey::delete_records:
        case ApiKey::describe_log_dirs:
        case ApiKey::delete_groups:
        case ApiKey::elect_leaders:
        case ApiKey::alter_partition_reassignments:
        case ApiKey::list_partition_reassignments:
        case ApiKey::offset_delete:
        case ApiKey::describe_client_quotas:
        case ApiKey::describe_quorum:
        case ApiKey::update_features:
        case ApiKey::describe_producers:
        case ApiKey::consumer_group_heartbeat:
        case ApiKey::consumer_group_describe:
        case ApiKey::list_config_resources: break;  // Unserved: begin() refuses them.
    }
    return at_once(fail(Errc::unsupported));
}

}  // namespace rafka::broker
