#pragma once

// What two brokers may answer differently, hidden before an answer becomes text. The whole list:
//
//   topic ids, producer ids, session ids   numbered in the order of their first appearance in the scenario
//   ports                                  9092 if not negative
//   cluster id                             "cluster"
//   throttle times                         0
//   log append times                       1 if there is one; of batches with LogAppendTime also their maximum
//   error messages                         null: rafka has sentences of its own, also where Kafka has none
//   documentation                          whether there is some
//   ApiVersions                            keys that rafka serves; no features; no features' epoch; not the newest
//                                          Fetch, which is for replicas of a later release
//   min.insync.replicas                    its source, where Kafka's controller has stored the default
//   DescribeConfigs of a broker            keys that rafka has; no values that name ports, paths or the machine;
//                                          read-only where rafka cannot change it while it runs
//   Metadata of all topics                 only topics whose name begins with the scenario's prefix
//   records of a fetch                     whole batches only, each as what it says
//
// Order of elements is compared as it is, but for results that Kafka keeps in hash maps: those of Metadata, Produce,
// ListOffsets, and of changes to topics are sorted.

#include "protocol/messages/alter_configs.hpp"
#include "protocol/messages/api_versions.hpp"
#include "protocol/messages/create_partitions.hpp"
#include "protocol/messages/create_topics.hpp"
#include "protocol/messages/delete_topics.hpp"
#include "protocol/messages/describe_cluster.hpp"
#include "protocol/messages/describe_configs.hpp"
#include "protocol/messages/describe_topic_partitions.hpp"
#include "protocol/messages/fetch.hpp"
#include "protocol/messages/incremental_alter_configs.hpp"
#include "protocol/messages/init_producer_id.hpp"
#include "protocol/messages/list_offsets.hpp"
#include "protocol/messages/metadata.hpp"
#include "protocol/messages/offset_for_leader_epoch.hpp"
#include "protocol/messages/produce.hpp"

#include <map>
#include <string>

namespace rafka::semantics {

// The request that is answered by which message.
template <class Request>
struct AnswerTo;
template <> struct AnswerTo<protocol::AlterConfigsRequest> { using type = protocol::AlterConfigsResponse; };
template <> struct AnswerTo<protocol::ApiVersionsRequest> { using type = protocol::ApiVersionsResponse; };
template <> struct AnswerTo<protocol::CreatePartitionsRequest> { using type = protocol::CreatePartitionsResponse; };
template <> struct AnswerTo<protocol::CreateTopicsRequest> { using type = protocol::CreateTopicsResponse; };
template <> struct AnswerTo<protocol::DeleteTopicsRequest> { using type = protocol::DeleteTopicsResponse; };
template <> struct AnswerTo<protocol::DescribeClusterRequest> { using type = protocol::DescribeClusterResponse; };
template <> struct AnswerTo<protocol::DescribeConfigsRequest> { using type = protocol::DescribeConfigsResponse; };
template <> struct AnswerTo<protocol::DescribeTopicPartitionsRequest> { using type = protocol::DescribeTopicPartitionsResponse; };
template <> struct AnswerTo<protocol::FetchRequest> { using type = protocol::FetchResponse; };
template <> struct AnswerTo<protocol::IncrementalAlterConfigsRequest> { using type = protocol::IncrementalAlterConfigsResponse; };
template <> struct AnswerTo<protocol::InitProducerIdRequest> { using type = protocol::InitProducerIdResponse; };
template <> struct AnswerTo<protocol::ListOffsetsRequest> { using type = protocol::ListOffsetsResponse; };
template <> struct AnswerTo<protocol::MetadataRequest> { using type = protocol::MetadataResponse; };
template <> struct AnswerTo<protocol::OffsetForLeaderEpochRequest> { using type = protocol::OffsetForLeaderEpochResponse; };
template <> struct AnswerTo<protocol::ProduceRequest> { using type = protocol::ProduceResponse; };

class Mask {
public:
    // Of Metadata of all topics; the transcript then does not depend on scenarios that ran before.
    std::string prefix;

    Uuid id(const Uuid& id);
    int64_t producer(int64_t id);
    int32_t session(int32_t id);

private:
    std::map<Uuid, size_t> ids_;
    std::map<int64_t, int64_t> producers_;
    std::map<int32_t, int32_t> sessions_;
};

// The answer as text, after masking. The answer itself is left as it came.
template <class Answer>
std::string describe_masked(Mask& mask, wire::Arena& arena, Answer answer, int16_t version);

}  // namespace rafka::semantics
