#pragma once

// The reading part of a fetch: looks at the partitions of a session that have changed, on their loops, and where what is
// readable there is not enough waits for appends, until enough has come, the deadline, or the client's end. While it
// waits it costs nothing: the watches of the session count the bytes that are missing down.

#include "broker/fetch_session.hpp"
#include "broker/request.hpp"
#include "broker/shard.hpp"
#include "protocol/errors.hpp"

#include <rafka/engine.hpp>

#include <atomic>
#include <optional>
#include <span>

namespace rafka::broker::handlers {

// A client's wait, as seen from whichever loop its fetch is on.
struct Patience : Waiting {
    explicit Patience(bool gone) : Waiting(&Patience::on_give_up), gone(gone) {}
    static void on_give_up(Waiting& waiting) {
        auto& self = static_cast<Patience&>(waiting);
        self.gone = true;
        if (auto* session = self.session.load()) session->bell.ring();
    }
    std::atomic<bool> gone;
    std::atomic<FetchSession*> session{nullptr};
};

class FetchRound {
public:
    // On the session's loop, which is the shard's.
    FetchRound(Shard& shard, FetchSession& session, wire::Arena& arena, Patience& patience);
    FetchRound(const FetchRound&) = delete;
    FetchRound& operator=(const FetchRound&) = delete;

    Isolation isolation = Isolation::read_uncommitted;
    bool is_follower = false;
    bool by_id = false;
    int64_t bytes_min = 0;
    int64_t bytes_max = 0;
    Instant deadline{};
    bool keeps_watches = false;  // The session goes on.

    // Begins the session's round; who calls it ends that. Afterwards each partition that was looked at has its result.
    Task<> run();

private:
    // What is to be done on one loop.
    struct Visit {
        Loop* loop = nullptr;
        FetchPartition* first = nullptr;
        FetchPartition* last = nullptr;
        int64_t bytes_left = 0;
        bool has_records = false;
    };

    bool is_over() const;
    Task<> look();
    Task<> plan(std::span<Visit>& visits);
    // Where the metadata has the partition; nothing where it is not there.
    std::optional<PartitionKey> find(const metadata::Image& image, const FetchPartition& partition) const;
    void allot(FetchPartition& partition, std::span<Visit>& visits);
    Task<> travel(Visit& visit);
    Task<> serve(Visit& visit);
    // False: there is nothing to read, and the result is there.
    bool glance(FetchPartition& partition, Partition& log, Visit& visit);
    Task<> read(FetchPartition& partition, Partition& log, Visit& visit);
    protocol::ErrorCode check(const Partition& log, FetchPartition& partition);
    void refuse(FetchPartition& partition, protocol::ErrorCode error);
    void note(FetchPartition& partition, const Partition& log);
    void limit();
    void drop_records();

    Shard& shard_;
    Engine& engine_;
    FetchSession& session_;
    Patience& patience_;
    std::span<Visit> all_visits_;
    bool is_alone_ = true;               // One visit only: limits are kept as it reads.
    size_t absent_ = 0;                  // Partitions that are not in the metadata.
    std::atomic<bool> settled_{false};   // Something must be told at once.
};

// Takes the watches of forgotten partitions away.
Task<> let_go(Shard& shard, FetchSession& session);
// Gives back sessions that have ended.
Task<> retire(Shard& shard);

}  // namespace rafka::broker::handlers
