#pragma once

// What control records say of the quorum: its protocol version, its voters, and who leads from where on.

#include "metadata/image.hpp"

#include <rafka/record_batch.hpp>

#include <vector>

namespace rafka::metadata {

struct Voter {
    struct Endpoint {
        std::string name;
        std::string host;
        uint16_t port = 0;

        friend bool operator==(const Endpoint&, const Endpoint&) = default;
    };

    int32_t id = -1;
    Uuid directory_id;
    std::vector<Endpoint> endpoints;
    int16_t kraft_version_min = 0;
    int16_t kraft_version_max = 1;

    friend bool operator==(const Voter&, const Voter&) = default;
};

struct Quorum {
    int16_t kraft_version = 0;   // 0: voters stand in the configuration, 1: in the log.
    std::vector<Voter> voters;   // Of kraft.version 1.

    // Takes over what a control batch says; unknown control records mean nothing to it.
    Result<> apply(BatchView batch);
    friend bool operator==(const Quorum&, const Quorum&) = default;
};

// The batch a leader begins its epoch with. `with_voters`: version and voters follow, as in the first epoch of a log that
// began with a snapshot of the formatter's.
std::vector<std::byte> leader_change_batch(const Quorum& quorum, int32_t leader_id, LeaderEpoch epoch, bool with_voters, Timestamp now);

// The first batch of a snapshot, and its last. Offsets in a snapshot count its records from zero.
std::vector<std::byte> snapshot_header_batch(const Quorum& quorum, LeaderEpoch epoch, Timestamp last_contained, Timestamp now);
std::vector<std::byte> snapshot_footer_batch(Offset base, LeaderEpoch epoch, Timestamp now);

}  // namespace rafka::metadata
