#pragma once

// Where each leader epoch of a partition began (Kafka's LeaderEpochFileCache, KIP-101). Both columns increase. Small:
// an entry per leader election that is still in the log. Its file is a cache of the batches' epochs, but for epochs
// that have no batch yet.

#include <rafka/partition.hpp>
#include <rafka/result.hpp>
#include <rafka/types.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace rafka::engine {

struct EpochStart {
    LeaderEpoch epoch = -1;
    Offset start;

    friend bool operator==(const EpochStart&, const EpochStart&) = default;
};

class Epochs {
public:
    // Epoch begins at `start`. Entries that contradict it go. True if anything changed, so that the file must be written.
    // Requires both >= 0.
    bool assign(LeaderEpoch epoch, Offset start);

    bool empty() const { return entries_.empty(); }
    LeaderEpoch latest() const { return entries_.empty() ? -1 : entries_.back().epoch; }
    const std::vector<EpochStart>& entries() const { return entries_; }

    // The greatest known epoch at or below the asked one, and where it ends; -1 and -1 if that cannot be told.
    EpochEnd end_of(LeaderEpoch asked, Offset log_end) const;
    // The epoch an offset belongs to, -1 if it is before the first.
    LeaderEpoch epoch_of(Offset offset) const;

    // Each is true if anything changed.
    bool truncate_from_end(Offset end);      // Drops what begins at or beyond it.
    bool truncate_from_start(Offset start);  // Drops what ends at or before it; the first that is left begins there.
    bool clear();

    // leader-epoch-checkpoint.
    std::string to_text() const;
    static Result<Epochs> of_text(std::string_view text);

private:
    std::vector<EpochStart> entries_;
};

}  // namespace rafka::engine
