#pragma once

// What the connections of one loop share. The broker has one of these per loop; nothing in it is seen by other loops.

#include "base/log.hpp"
#include "broker/fetch_sessions.hpp"
#include "broker/memory.hpp"
#include "broker/request.hpp"
#include "metadata/image.hpp"

#include <rafka/loop.hpp>

#include <atomic>
#include <cstdint>

namespace rafka::broker {

class Broker;
class Connection;

struct Limits {
    uint32_t frame_bytes_max = 100u << 20;          // socket.request.max.bytes
    Duration idle_max = std::chrono::minutes(10);   // connections.max.idle.ms
    uint64_t fetch_bytes_max = 55u << 20;           // fetch.max.bytes
    size_t sessions_max = 1000;                     // max.incremental.fetch.session.cache.slots, of this loop
    Duration session_eviction = std::chrono::minutes(2);

    Limits() {}
};

// Connections of a loop, the one that was quiet for longest first.
class Connections {
public:
    void add(Connection& connection);
    void remove(Connection& connection);
    void touch(Connection& connection) { remove(connection); add(connection); }
    Connection* first() const { return first_; }
    size_t size() const { return size_; }

private:
    Connection* first_ = nullptr;
    Connection* last_ = nullptr;
    size_t size_ = 0;
};

struct Shard {
    // `index`: of this loop among `loop_count`. `connection_count`: of all loops together.
    Shard(Loop& loop, Broker& broker, const Limits& limits, uint32_t index, uint32_t loop_count, std::atomic<size_t>& connection_count);
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    Loop& loop;
    Broker& broker;
    const Limits limits;
    metadata::ImagePtr image;      // The newest one whose partitions are open.
    FetchSessions sessions;
    FrameMemory memory;
    RequestPool requests;
    // What fetches of this loop may hold for their answers, all together. At the bound they bring less.
    std::atomic<int64_t> fetch_bytes_left;
    size_t unsent = 0;             // Bytes of answers that their clients have not taken yet, records not counted.
    size_t fetch_items = 0;        // Partitions of fetches in progress that belong to no session.
    uint64_t fetch_looks = 0;      // At partitions, by all fetches so far.
    size_t creations = 0;          // Of topics on demand, in progress.
    Connections connections;
    std::atomic<size_t>& connection_count;
    log::Limiter peer_lines;       // For log lines that a peer can cause.
    Scope tasks;

    // Ends connections that were quiet for too long, until stop().
    Task<> reap();
    // Ends those that hold a part of a frame and send the rest slowly or not at all: somebody waits for their memory.
    void drop_stalled();
    // Connections finish what they have begun and end; those that have not by the deadline are cut.
    Task<> stop(Instant deadline);
    void ended(Connection& connection);

private:
    Event changed_;
    bool stopped_ = false;
};

}  // namespace rafka::broker
