#pragma once

// All scenarios. The stem of a name is the prefix of its topics, so they do not see each other's.

#include <string_view>
#include <utility>

namespace rafka::semantics {

class Script;

void api_versions(Script& script);
void metadata(Script& script);
void create_topics(Script& script);
void delete_topics(Script& script);
void create_partitions(Script& script);
void describe_configs(Script& script);
void alter_configs(Script& script);
void produce(Script& script);
void produce_refused(Script& script);
void idempotence(Script& script);
void fetch(Script& script);
void fetch_limits(Script& script);
void fetch_sessions(Script& script);
void list_offsets(Script& script);
void leader_epochs(Script& script);
void init_producer_id(Script& script);
void cluster(Script& script);
void topic_partitions(Script& script);
void malformed(Script& script);

inline constexpr std::pair<std::string_view, void (*)(Script&)> scenarios[] = {
    {"api_versions", api_versions},
    {"metadata", metadata},
    {"create_topics", create_topics},
    {"delete_topics", delete_topics},
    {"create_partitions", create_partitions},
    {"describe_configs", describe_configs},
    {"alter_configs", alter_configs},
    {"produce", produce},
    {"produce_refused", produce_refused},
    {"idempotence", idempotence},
    {"fetch", fetch},
    {"fetch_limits", fetch_limits},
    {"fetch_sessions", fetch_sessions},
    {"list_offsets", list_offsets},
    {"leader_epochs", leader_epochs},
    {"init_producer_id", init_producer_id},
    {"cluster", cluster},
    {"topic_partitions", topic_partitions},
    {"malformed", malformed},
};

}  // namespace rafka::semantics
