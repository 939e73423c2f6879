#include "protocol/records/cluster.hpp"

#include "wire/codec.hpp"

namespace rafka::wire {

using namespace protocol;

template struct Codec<RegisterBrokerRecord>;
template struct Codec<UnregisterBrokerRecord>;
template struct Codec<FenceBrokerRecord>;
template struct Codec<UnfenceBrokerRecord>;
template struct Codec<BrokerRegistrationChangeRecord>;
template struct Codec<RegisterControllerRecord>;
template struct Codec<FeatureLevelRecord>;
template struct Codec<NoOpRecord>;
template struct Codec<ZkMigrationStateRecord>;
template struct Codec<BeginTransactionRecord>;
template struct Codec<EndTransactionRecord>;
template struct Codec<AbortTransactionRecord>;

}  // namespace rafka::wire
