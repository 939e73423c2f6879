#include "protocol/records/topics.hpp"

#include "wire/codec.hpp"

namespace rafka::wire {

using namespace protocol;

template struct Codec<TopicRecord>;
template struct Codec<PartitionRecord>;
template struct Codec<PartitionChangeRecord>;
template struct Codec<RemoveTopicRecord>;
template struct Codec<ClearElrRecord>;
template struct Codec<ConfigRecord>;
template struct Codec<ClientQuotaRecord>;
template struct Codec<ProducerIdsRecord>;

}  // namespace rafka::wire
