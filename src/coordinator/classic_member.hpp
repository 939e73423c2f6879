#pragma once

// A member of a group of the classic protocol, and what is said to it and by it.

#include "coordinator/error.hpp"

#include <rafka/bytes.hpp>
#include <rafka/io.hpp>
#include <rafka/result.hpp>
#include <rafka/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rafka::coordinator {

using Blob = std::vector<std::byte>;

// The clocks at the moment of a call.
struct Now {
    Instant instant;
    Timestamp wall;
};

// An assignor that a member can work with, and what it tells the leader by it.
struct ClassicProtocol {
    std::string name;
    Blob metadata;

    friend bool operator==(const ClassicProtocol&, const ClassicProtocol&) = default;
};

struct JoinRequest {
    std::string member_id;  // Empty: new.
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    int32_t session_timeout_ms = 0;
    int32_t rebalance_timeout_ms = 0;
    std::string protocol_type;
    std::vector<ClassicProtocol> protocols;  // Best first.
    std::string fresh_member_id;             // For a new member; unused before.
    bool knows_member_ids = false;           // From version 4: a new dynamic member comes again with its id.
    bool knows_skip_assignment = false;      // From version 9.
};

struct JoinedMember {
    std::string member_id;
    std::optional<std::string> instance_id;
    Blob metadata;
};

struct JoinAnswer {
    GroupError error = GroupError::none;
    int32_t generation = -1;
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name;
    std::string leader;
    bool skip_assignment = false;
    std::string member_id;
    std::vector<JoinedMember> members;  // For the leader: everybody.
};

struct SyncAnswer {
    GroupError error = GroupError::none;
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name;
    Blob assignment;
};

// A request that waits for its answer. The group fills it in once and calls `answered`; who leaves before tells the
// group (ClassicGroup::forget).
template <class Answer>
struct Ticket {
    std::optional<Answer> answer;
    void (*answered)(Ticket& ticket) = nullptr;
};
using JoinTicket = Ticket<JoinAnswer>;
using SyncTicket = Ticket<SyncAnswer>;

struct ClassicMember {
    std::optional<std::string> instance_id;  // Present: a static member (KIP-345).
    std::string client_id;
    std::string client_host;
    int32_t rebalance_timeout_ms = 0;
    int32_t session_timeout_ms = 0;
    std::vector<ClassicProtocol> protocols;
    Blob assignment;

    // It joins a rebalance, or waits for its assignment: alive without heartbeats. The ticket is null once the client is
    // gone; the member is not until its session ends.
    bool awaits_join = false;
    bool awaits_sync = false;
    JoinTicket* join = nullptr;
    SyncTicket* sync = nullptr;
    bool is_new = false;         // Joins for the first time: then it is not alive by waiting alone.
    Instant deadline = never;    // Of its session.

    bool is_alive_by_waiting() const { return !is_new && (awaits_join || awaits_sync); }
    const Blob* metadata_of(std::string_view protocol) const {
        for (auto& known : protocols) {
            if (known.name == protocol) return &known.metadata;
        }
        return nullptr;
    }
};

}  // namespace rafka::coordinator
