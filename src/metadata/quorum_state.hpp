#pragma once

// quorum-state: what a raft node must not forget, one line of JSON in the metadata log's directory.

#include <rafka/result.hpp>
#include <rafka/types.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::metadata {

inline constexpr std::string_view quorum_state_file = "quorum-state";

struct QuorumState {
    int16_t data_version = 1;   // 1 goes with kraft.version 1; 0 names cluster and voters.
    int32_t leader_id = -1;
    int32_t leader_epoch = 0;
    int32_t voted_id = -1;
    Uuid voted_directory_id;            // Version 1.
    std::string cluster_id;             // The rest: version 0.
    int64_t applied_offset = 0;
    std::vector<int32_t> voters;

    friend bool operator==(const QuorumState&, const QuorumState&) = default;
};

std::string to_text(const QuorumState& state);
Result<QuorumState> quorum_state_of(std::string_view text);

}  // namespace rafka::metadata
