#include "broker/shard.hpp"

#include "base/assert.hpp"
#include "broker/connection.hpp"

namespace rafka::broker {

namespace {
constexpr int64_t fetch_bytes_of_all = 256ll << 20;
constexpr Duration waited_for = std::chrono::seconds(5);
}  // namespace

void Connections::add(Connection& connection) {
    connection.next = nullptr;
    connection.previous = last_;
    (last_ ? last_->next : first_) = &connection;
    last_ = &connection;
    ++size_;
}

void Connections::remove(Connection& connection) {
    (connection.previous ? connection.previous->next : first_) = connection.next;
    (connection.next ? connection.next->previous : last_) = connection.previous;
    --size_;
}

Shard::Shard(Loop& loop, Broker& broker, const Limits& limits, uint32_t index, uint32_t loop_count, std::atomic<size_t>& connection_count)
    : loop(loop),
      broker(broker),
      limits(limits),
      sessions(loop, limits.sessions_max, limits.session_eviction, index, loop_count),
      memory(loop, limits.frame_bytes_max),
      fetch_bytes_left(fetch_bytes_of_all),
      connection_count(connection_count),
      peer_lines(10, std::chrono::seconds(10)),
      tasks(loop),
      changed_(loop) {}

Shard::~Shard() { ASSERT(connections.size() == 0); }

Task<> Shard::reap() {
    while (!stopped_) {
        auto* quiet = connections.first();
        auto deadline = (quiet ? quiet->last_active() : loop.now()) + limits.idle_max;
        if (deadline > loop.now()) {
            co_await changed_.wait_until(deadline);
            continue;
        }
        if (!quiet->busy()) quiet->cut();
        quiet->touch();  // It leaves the list when it has ended.
    }
}

void Shard::drop_stalled() {
    Connection* waiting = nullptr;
    bool dropped = false;
    for (auto* connection = connections.first(); connection; connection = connection->next) {
        if (connection->is_stalled()) {
            connection->cut();
            dropped = true;
        } else if (!waiting && connection->waits_for_memory() && loop.now() - connection->last_active() > waited_for) {
            waiting = connection;
        }
    }
    // Those that have begun may wait for each other: one of them has to go.
    if (!dropped && waiting) waiting->cut();
}

Task<> Shard::stop(Instant deadline) {
    stopped_ = true;
    changed_.notify_all();
    for (auto* connection = connections.first(); connection; connection = connection->next) connection->end();
    while (connections.size() > 0 && loop.now() < deadline) co_await changed_.wait_until(deadline);
    for (auto* connection = connections.first(); connection; connection = connection->next) connection->cut();
    co_await tasks.drained();
}

void Shard::ended(Connection& connection) {
    connections.remove(connection);
    --connection_count;
    if (stopped_) changed_.notify_all();
}

}  // namespace rafka::broker
