#pragma once

// The fetch sessions of one loop: those that clients go on with, with a bound and an order of eviction, and the memory of
// requests that have none. Behaves as org.apache.kafka.server's FetchSessionCacheShard; time and random numbers are
// passed in.
//
// A session's number tells its loop (`index` modulo `loops`), so that it is found from any connection.

#include "broker/fetch_session.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace rafka::broker {

class FetchSessions {
public:
    // At `sessions_max` a new session takes the place of one that was not used for `eviction`, or that is that old and
    // has fewer partitions; else the client gets none, and sends full requests.
    FetchSessions(Loop& loop, size_t sessions_max, Duration eviction, uint32_t index = 0, uint32_t loops = 1)
        : loop_(loop), sessions_max_(sessions_max), eviction_(eviction), index_(index), loops_(loops) {}

    // For one full request, which is its user: without a number and without partitions.
    FetchSession& take();
    // Clients may go on with it from now on. False: there is no room. `random` draws numbers.
    bool open(FetchSession& session, bool privileged, bool by_id, Instant now, uint64_t (*random)(void*), void* context);
    void close(int32_t id);
    void close(FetchSession& session);
    FetchSession* find(int32_t id);
    size_t size() const { return sessions_.size(); }
    // Of all sessions together. At the bound no session is opened, and one that would grow is closed.
    static constexpr size_t partitions_max = 200'000;
    size_t partition_count() const { return partition_count_; }

    // An incremental request, which may name `changes` new partitions. The error is Kafka's: unknown session, wrong
    // epoch, topics named by id in one request and by name in another. Without an error the session expects the next
    // epoch from now on, and the request is its user.
    struct Begun {
        protocol::ErrorCode error = protocol::ErrorCode::none;
        FetchSession* session = nullptr;
    };
    Begun begin(int32_t id, int32_t epoch, bool by_id, size_t changes, Instant now);

    // Keeps the session's place in the order of eviction. After a session was changed or used.
    void touch(FetchSession& session, Instant now);
    // Its user is done with it.
    void leave(FetchSession& session);

    // A session that has ended and no user any more, or null. To be given back when it has no partitions and no watches.
    FetchSession* take_ended();
    void give_back(FetchSession& session);

private:
    bool make_room(bool privileged, size_t size, Instant now);
    void link(FetchSession& session);
    void unlink(FetchSession& session);
    void rank(FetchSession& session, bool by_privileged, bool by_all);

    Loop& loop_;
    size_t sessions_max_;
    Duration eviction_;
    uint32_t index_;
    uint32_t loops_;
    size_t partition_count_ = 0;
    std::unordered_map<int32_t, FetchSession*> sessions_;
    FetchSession* oldest_ = nullptr;   // By use.
    FetchSession* newest_ = nullptr;
    using Value = std::tuple<bool, size_t, int32_t>;  // Privileged, partitions, id: the least is evicted first.
    std::set<Value> evictable_by_all_;
    std::set<Value> evictable_by_privileged_;

    std::vector<std::unique_ptr<FetchSession>> all_;
    std::vector<FetchSession*> ended_;
    std::vector<FetchSession*> free_;
};

// After 2^31-1 comes 1.
constexpr int32_t next_fetch_epoch(int32_t epoch) { return epoch == INT32_MAX ? 1 : epoch + 1; }

}  // namespace rafka::broker
