#pragma once

// Incremental fetch sessions (KIP-227): what a client wants of which partitions is remembered between its requests, so
// that request and answer name only what changed. A pure state machine: time and random numbers are passed in. One per
// loop; a client keeps its session on one connection, and so on one loop. Behaves as org.apache.kafka.server's
// FetchSession and FetchSessionCacheShard.

#include <rafka/io.hpp>
#include <rafka/types.hpp>

#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace rafka::broker {

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
};

// What an answer says of one partition, as far as the session looks at it.
struct FetchOutcome {
    int16_t error = 0;
    int64_t high_watermark = -1;
    int64_t log_start_offset = -1;
    size_t records_size = 0;
    bool diverging = false;
    bool preferred_replica = false;
};

class FetchSession {
public:
    struct Partition {
        Uuid topic_id;
        std::string topic;
        int32_t partition = 0;
        FetchWish wish;
        int64_t high_watermark = -1;    // As last answered; -1 makes the next answer name the partition.
        int64_t log_start_offset = -1;

        FetchTarget target() const { return {topic_id, topic, partition}; }
    };

    int32_t id() const { return id_; }
    // The epoch that the next request must carry.
    int32_t epoch() const { return epoch_; }
    bool by_id() const { return by_id_; }
    // In the order they are to be served.
    const std::list<Partition>& partitions() const { return partitions_; }

    // Whether the answer must name this partition; notes what it says. One that brings records goes to the end of the
    // order, so that others come first next time. False too for a partition that was forgotten meanwhile.
    bool answer(const FetchTarget& target, const FetchOutcome& outcome);

private:
    friend class FetchSessions;
    struct Key {
        Uuid topic_id;
        std::string_view topic;  // Of the entry in the list.
        int32_t partition;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct HashKey {
        size_t operator()(const Key& key) const {
            return (std::hash<Uuid>{}(key.topic_id) ^ std::hash<std::string_view>{}(key.topic)) * 31 + uint32_t(key.partition);
        }
    };

    void put(const FetchTarget& target, const FetchWish& wish);
    void forget(const FetchTarget& target);

    int32_t id_ = 0;
    int32_t epoch_ = 1;
    bool by_id_ = false;
    bool privileged_ = false;  // A follower's.
    Instant created_{};
    Instant used_{};
    size_t size_noted_ = 0;    // As the cache's order knows it.
    std::list<Partition> partitions_;
    std::unordered_map<Key, std::list<Partition>::iterator, HashKey> places_;
};

class FetchSessions {
public:
    // At `sessions_max` a new session takes the place of one that was not used for `eviction`, or that is that old and
    // has fewer partitions; else the client gets none, and sends full requests.
    FetchSessions(size_t sessions_max, Duration eviction) : sessions_max_(sessions_max), eviction_(eviction) {}

    // Opens a session without partitions; null if there is no room for one of `size` partitions. `random` draws ids.
    FetchSession* open(bool privileged, bool by_id, size_t size, Instant now, uint64_t (*random)(void*), void* context);
    // Adds a partition to a new session, with what its first answer says.
    void add(FetchSession& session, const FetchTarget& target, const FetchWish& wish, const FetchOutcome& outcome);
    void close(int32_t id);
    FetchSession* find(int32_t id);
    size_t size() const { return sessions_.size(); }
    // Of all sessions together. At the bound no session is opened, and one that would grow is closed.
    static constexpr size_t partitions_max = 200'000;
    size_t partition_count() const { return partition_count_; }

    struct Change {
        FetchTarget target;
        FetchWish wish;
    };
    // An incremental request. The error is Kafka's code: 70 unknown session, 71 wrong epoch, 106 topics named by id in
    // one request and by name in another. Afterwards the session expects the next epoch. A session that has no
    // partition left is closed: then `session` is null and there is no error.
    struct Begun {
        int16_t error = 0;
        FetchSession* session = nullptr;
    };
    Begun begin(int32_t id, int32_t epoch, bool by_id, std::span<const Change> changes,
                std::span<const FetchTarget> forgotten, Instant now);

    // Keeps the session's place in the order of eviction. After a session was changed or used.
    void touch(FetchSession& session, Instant now);

private:
    bool make_room(bool privileged, size_t size, Instant now);
    void unlink(FetchSession& session);

    size_t sessions_max_;
    Duration eviction_;
    size_t partition_count_ = 0;
    std::unordered_map<int32_t, FetchSession> sessions_;
    std::set<std::pair<Instant, int32_t>> by_use_;
    using Value = std::tuple<bool, size_t, int32_t>;  // Privileged, partitions, id: the least is evicted first.
    std::set<Value> evictable_by_all_;
    std::set<Value> evictable_by_privileged_;
};

// After 2^31-1 comes 1.
constexpr int32_t next_fetch_epoch(int32_t epoch) { return epoch == INT32_MAX ? 1 : epoch + 1; }

}  // namespace rafka::broker
