#pragma once

// Where a partition's leader is now: Produce and Fetch tell it beside an error, which saves the client a question.

#include "wire/fields.hpp"

namespace rafka::protocol {

struct LeaderIdAndEpoch {
    int32_t leader_id = -1;
    LeaderEpoch leader_epoch = -1;

    friend bool operator==(const LeaderIdAndEpoch&, const LeaderIdAndEpoch&) = default;

    static void fields(auto& self, auto& f) {
        f(self.leader_id);
        f(self.leader_epoch);
    }
};

struct NodeEndpoint {
    int32_t node_id = 0;
    std::string_view host;
    int32_t port = 0;
    std::optional<std::string_view> rack;

    static void fields(auto& self, auto& f) {
        f(self.node_id);
        f(self.host);
        f(self.port);
        f(self.rack);
    }
};

}  // namespace rafka::protocol
