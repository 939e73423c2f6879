#pragma once

// A record of __cluster_metadata that is not a control record: null key, and as value
//
//   uvarint frame version (1), uvarint type, uvarint version, the record's fields
//
// Who does not know a type or a version must stop: a log of which something was skipped is another log.

#include "protocol/records/cluster.hpp"
#include "protocol/records/security.hpp"
#include "protocol/records/topics.hpp"

#include <string>
#include <variant>

namespace rafka::protocol {

using MetadataRecord = std::variant<
    NoOpRecord, RegisterBrokerRecord, UnregisterBrokerRecord, TopicRecord, PartitionRecord, ConfigRecord,
    PartitionChangeRecord, FenceBrokerRecord, UnfenceBrokerRecord, RemoveTopicRecord, DelegationTokenRecord,
    UserScramCredentialRecord, FeatureLevelRecord, ClientQuotaRecord, ProducerIdsRecord, BrokerRegistrationChangeRecord,
    AccessControlEntryRecord, RemoveAccessControlEntryRecord, ZkMigrationStateRecord, RemoveUserScramCredentialRecord,
    BeginTransactionRecord, EndTransactionRecord, AbortTransactionRecord, RemoveDelegationTokenRecord,
    RegisterControllerRecord, ClearElrRecord>;

struct VersionedRecord {
    MetadataRecord record;
    int16_t version = 0;
};

// Views of `value`; arrays in `arena`. Errors: unsupported (frame version, type or version), malformed.
Result<VersionedRecord> read_metadata_record(Bytes value, wire::Arena& arena);

// Appends the whole value.
void write_metadata_record(wire::Payload& out, const MetadataRecord& record, int16_t version);

// For log lines: the type's number and the fields.
std::string describe(const MetadataRecord& record, int16_t version);

}  // namespace rafka::protocol
