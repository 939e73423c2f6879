#pragma once

// The reading part of a fetch: visits each loop that has some of the partitions once, reads there what is readable, and
// where that is not enough stays and waits for appends, until enough has come, the deadline, or the client's end. While
// it waits it costs nothing: a watch on each partition counts the bytes that are missing down.

#include "broker/fetch_session.hpp"
#include "broker/gather.hpp"
#include "broker/request.hpp"
#include "protocol/errors.hpp"

#include <rafka/engine.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

namespace rafka::broker::handlers {

// A partition of a fetch, and what came of it.
struct FetchItem {
    FetchTarget target;
    FetchWish wish;
    PartitionKey key;
    bool is_found = false;  // In the metadata.

    protocol::ErrorCode error = protocol::ErrorCode::none;
    Offset high_watermark = no_offset;
    Offset last_stable_offset = no_offset;
    Offset log_start_offset = no_offset;
    std::optional<EpochEnd> diverging;
    Records records;

    // While it is being served.
    Offset seen_end = no_offset;  // Everything readable below it was read.
    int64_t held = 0;             // Bytes taken from the budgets.
    int64_t counted = 0;          // Bytes taken from what is missing.
    bool look_again = false;

    void refuse(protocol::ErrorCode code) {
        error = code;
        high_watermark = last_stable_offset = log_start_offset = no_offset;
        records = {};
    }
};

class FetchRound {
public:
    FetchRound(Engine& engine, Loop& home);
    ~FetchRound();
    FetchRound(const FetchRound&) = delete;
    FetchRound& operator=(const FetchRound&) = delete;

    Isolation isolation = Isolation::read_uncommitted;
    bool is_follower = false;
    std::atomic<int64_t> bytes_left{0};               // Of max_bytes.
    std::atomic<int64_t>* memory_left = nullptr;      // Of what the loop's fetches may hold.
    std::atomic<int64_t> missing{0};                  // Until min_bytes.
    Instant deadline{};
    int64_t held = 0;                                 // Afterwards: what was taken of memory_left.

    // Serves the items without an error.
    Task<> run(std::vector<FetchItem>& items, Client& client);

private:
    class Visit;
    struct Watcher;
    struct Patience;

    bool enough() const { return missing <= 0 || settled_; }
    Task<> travel(Visit& visit);
    Task<> stop(Visit& visit);
    void stop_others(Visit* but);

    Engine& engine_;
    Loop& home_;
    Gather gather_;
    std::vector<std::unique_ptr<Visit>> visits_;
    std::atomic<bool> settled_{false};   // Something must be told at once.
    std::atomic<bool> has_records_{false};
};

}  // namespace rafka::broker::handlers
