#pragma once

// What a client wants of which partitions, and what it was told of them: of one fetch request, or of an incremental
// session (KIP-227), where it is remembered between requests so that request and answer name only what changed. Behaves
// as org.apache.kafka.server's FetchSession.
//
// A session lives on one loop, its partitions on any. Each partition of a session keeps a watch where its log is: what
// happens there puts it on the session's list of changed ones, and a request looks at those only. So a request costs
// what has changed, and one that waits costs nothing until the bytes it misses have come.

#include "io/bell.hpp"
#include "protocol/errors.hpp"

#include <rafka/io.hpp>
#include <rafka/partition.hpp>
#include <rafka/types.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::broker {

class FetchSession;

// What a client asks of one partition.
struct FetchWish {
    int32_t current_leader_epoch = -1;
    int64_t fetch_offset = 0;
    int32_t last_fetched_epoch = -1;
    int64_t log_start_offset = -1;
    int32_t bytes_max = 0;

    friend bool operator==(const FetchWish&, const FetchWish&) = default;
};

// A topic's partition as the request names it: by id from version 13 on (then the name is empty), by name before.
struct FetchTarget {
    Uuid topic_id;
    std::string_view topic;
    int32_t partition = 0;

    friend bool operator==(const FetchTarget&, const FetchTarget&) = default;
};

// What a look at a partition found, as the answer says it.
struct FetchResult {
    protocol::ErrorCode error = protocol::ErrorCode::none;
    Offset high_watermark = no_offset;
    Offset last_stable_offset = no_offset;
    Offset log_start_offset = no_offset;
    std::optional<EpochEnd> diverging;
    Records records;
    // Nothing to read at the position: until the partition's watch is told, another look would find the same.
    bool is_idle = false;

    void refuse(protocol::ErrorCode code) {
        error = code;
        high_watermark = last_stable_offset = log_start_offset = no_offset;
        diverging.reset();
        records = {};
        is_idle = false;
    }
};

class FetchPartition : public Watch {
public:
    explicit FetchPartition(FetchSession& session);
    ~FetchPartition();

    FetchTarget target() const { return {topic_id, topic, index}; }

    // On the session's loop. ----
    Uuid topic_id;
    std::string topic;
    int32_t index = 0;
    FetchWish wish;
    PartitionKey key;
    bool is_found = false;             // In the metadata, as `key`,
    Offset found_at = no_offset;       // as of this metadata record.
    Loop* home = nullptr;              // Its loop, if it is found.
    uint64_t place = 0;                // Ascending in the order they are served.
    // As last answered; -1 makes the next answer name the partition.
    int64_t high_watermark = -1;
    int64_t log_start_offset = -1;

    // Of the look that goes on. In turn on both loops. ----
    FetchResult result;
    int64_t held = 0;                  // Bytes taken from the budget.
    bool is_due = false;               // Is to be looked at.
    bool is_watched = false;
    FetchPartition* next_due = nullptr;

private:
    friend class FetchSession;
    static void on_grown(Watch& watch, const Growth& growth);

    FetchSession& session_;
    // From any loop. ----
    std::atomic<bool> changed_{false};
    FetchPartition* next_changed_ = nullptr;
    // On the partition's loop: bytes taken from what a round misses, at most as many as the client takes of it. ----
    uint64_t counted_in_ = 0;
    int64_t counted_ = 0;
    int64_t countable_ = 0;
    // On the session's loop. ----
    bool forgotten_ = false;
    bool released_ = false;
    bool looked_at_ = false;           // In this round.
    size_t slot_ = 0;
    FetchPartition* next_named_ = nullptr;
};

class FetchSession {
public:
    explicit FetchSession(Loop& loop) : bell(loop) {}
    ~FetchSession();
    FetchSession(const FetchSession&) = delete;
    FetchSession& operator=(const FetchSession&) = delete;

    // 0: of one request only.
    int32_t id() const { return id_; }
    // The epoch that the next request must carry.
    int32_t epoch() const { return epoch_; }
    bool by_id() const { return by_id_; }
    // In no order.
    const std::vector<FetchPartition*>& partitions() const { return partitions_; }

    // Adds a partition behind the others, or changes the wish of one that is there.
    FetchPartition& put(const FetchTarget& target, const FetchWish& wish);
    void forget(const FetchTarget& target);
    void forget_all();
    // Forgotten ones whose watches must go. release() each when it has none.
    std::vector<FetchPartition*>& leaving() { return leaving_; }
    void release(FetchPartition& partition);
    // Gives back memory that the next user may not need.
    void shrink();

    // The partition must be looked at in the next round. From any loop.
    void mark(FetchPartition& partition);
    void mark_all();
    // How requests read: when that is not what it was, nothing that was seen before counts.
    void reads_as(Isolation isolation, bool as_follower);

    // Whether the answer must name this partition; notes what it says. One that brings records goes to the end of the
    // order, so that others come first next time.
    bool answer(FetchPartition& partition);
    // The same for a first answer, which names all.
    void answer_first(FetchPartition& partition);

    // A round: the looks at partitions for one request, and the wait between them. One at a time.
    void begin_round(int64_t bytes_missing);
    void end_round();
    bool in_round() const { return round_ != 0; }
    // Adds what changed since to the round's list, keeps it in order, and makes these due.
    void take_changed();
    const std::vector<FetchPartition*>& looked_at() const { return looked_at_; }
    // On the partition's loop: a look found so many bytes; what was counted before no longer counts.
    void recount(FetchPartition& partition, int64_t bytes);
    int64_t missing() const { return missing_; }
    // Something changed that is no growth: whoever waits looks again. Clears the fact.
    bool take_recheck() { return recheck_.exchange(false); }
    // The round ends early, from any loop.
    void interrupt();
    bool interrupted() const { return interrupted_; }

    io::Bell bell;                 // Rings when a round that waits should look at its condition.
    size_t users = 0;          // Requests that hold it.

private:
    friend class FetchPartition;
    friend class FetchSessions;

    FetchPartition** place_of(const FetchTarget& target);
    void recycle(FetchPartition& partition);
    void enlarge_names();
    void grown(FetchPartition& partition, const Growth& growth);
    void count(FetchPartition& partition, uint64_t round, int64_t bytes);

    int32_t id_ = 0;
    int32_t epoch_ = 1;
    bool by_id_ = false;
    bool privileged_ = false;  // A follower's.
    bool closed_ = false;
    Instant created_{};
    Instant used_{};
    size_t size_noted_ = 0;    // As the cache's order knows it.
    bool evictable_by_privileged_ = false;
    bool evictable_by_all_ = false;
    FetchSession* older_ = nullptr;  // By use.
    FetchSession* newer_ = nullptr;

    std::vector<FetchPartition*> partitions_;
    std::vector<FetchPartition*> names_;   // A hash table, chained.
    std::vector<FetchPartition*> leaving_;
    std::vector<std::unique_ptr<FetchPartition>> free_;
    std::vector<FetchPartition*> looked_at_;
    uint64_t next_place_ = 0;
    Isolation isolation_ = Isolation::read_uncommitted;
    bool as_follower_ = false;

    std::atomic<FetchPartition*> changed_{nullptr};
    std::atomic<uint64_t> round_{0};       // Twice a number, one more under read_committed; 0: none.
    uint64_t rounds_ = 0;
    std::atomic<int64_t> missing_{0};
    std::atomic<bool> recheck_{false};
    std::atomic<bool> interrupted_{false};
};

}  // namespace rafka::broker
