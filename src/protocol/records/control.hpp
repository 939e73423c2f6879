#pragma once

// Control records: key int16 version 0, int16 type; the value begins with its own version. Types 0 and 1 end a
// transaction in a data partition, the others stand in __cluster_metadata and its snapshots.

#include "protocol/records/record.hpp"

#include "base/endian.hpp"

#include <array>
#include <string>

namespace rafka::protocol {

enum class ControlType : int16_t {
    abort = 0,
    commit = 1,
    leader_change = 2,
    snapshot_header = 3,
    snapshot_footer = 4,
    kraft_version = 5,
    kraft_voters = 6,
};

// The type that a control record's key names; it may be one that we do not know, which is to be skipped.
Result<ControlType> read_control_key(Bytes key);
std::array<std::byte, 4> control_key(ControlType type);

// First record of each epoch of the quorum's leader.
struct LeaderChangeRecord {
    static constexpr auto schema = stored(int16_t(ControlType::leader_change), 1);

    struct Voter {
        int32_t voter_id = 0;
        Uuid voter_directory_id;

        static void fields(auto& self, auto& f) {
            f(self.voter_id);
            f(self.voter_directory_id, since(1));
        }
    };

    int16_t version = 0;
    int32_t leader_id = 0;
    Array<Voter> voters;
    Array<Voter> granting_voters;

    static void fields(auto& self, auto& f) {
        f(self.version);
        f(self.leader_id);
        f(self.voters);
        f(self.granting_voters);
    }
};

struct SnapshotHeaderRecord {
    static constexpr auto schema = stored(int16_t(ControlType::snapshot_header));

    int16_t version = 0;
    Timestamp last_contained_log_timestamp;

    static void fields(auto& self, auto& f) {
        f(self.version);
        f(self.last_contained_log_timestamp);
    }
};

struct SnapshotFooterRecord {
    static constexpr auto schema = stored(int16_t(ControlType::snapshot_footer));

    int16_t version = 0;

    static void fields(auto& self, auto& f) { f(self.version); }
};

struct KRaftVersionRecord {
    static constexpr auto schema = stored(int16_t(ControlType::kraft_version));

    int16_t version = 0;
    int16_t kraft_version = 0;  // 0: voters from the configuration, 1: voters in the log.

    static void fields(auto& self, auto& f) {
        f(self.version);
        f(self.kraft_version);
    }
};

struct VotersRecord {
    static constexpr auto schema = stored(int16_t(ControlType::kraft_voters));

    struct Endpoint {
        std::string_view name;
        std::string_view host;
        uint16_t port = 0;

        static void fields(auto& self, auto& f) {
            f(self.name);
            f(self.host);
            f(self.port);
        }
    };

    struct VersionRange {
        int16_t min_supported_version = 0;
        int16_t max_supported_version = 0;

        static void fields(auto& self, auto& f) {
            f(self.min_supported_version);
            f(self.max_supported_version);
        }
    };

    struct Voter {
        int32_t voter_id = 0;
        Uuid voter_directory_id;
        Array<Endpoint> endpoints;
        VersionRange kraft_version_feature;

        static void fields(auto& self, auto& f) {
            f(self.voter_id);
            f(self.voter_directory_id);
            f(self.endpoints);
            f(self.kraft_version_feature);
        }
    };

    int16_t version = 0;
    Array<Voter> voters;

    static void fields(auto& self, auto& f) {
        f(self.version);
        f(self.voters);
    }
};

// A control record's value, in the version that it names itself. Errors: unsupported, malformed.
template <class R>
Result<R> read_control_value(Bytes value, wire::Arena& arena) {
    if (value.size() < 2) return fail(Errc::malformed);
    auto version = load_be<int16_t>(value.data());
    if (!R::schema.contains(version)) return fail(Errc::unsupported);
    return wire::read<R>(value, arena, version);
}

template <class R>
void write_control_value(wire::Payload& out, const R& record) {
    wire::write(out, record, record.version);
}

// The end of a transaction. Not flexible: int16 version, int32 epoch of the coordinator.
struct EndTransactionMarker {
    static constexpr wire::Schema schema{int16_t(ControlType::commit), 0, 0, INT16_MAX};

    int16_t version = 0;
    int32_t coordinator_epoch = 0;

    static void fields(auto& self, auto& f) {
        f(self.version);
        f(self.coordinator_epoch);
    }
};

}  // namespace rafka::protocol
