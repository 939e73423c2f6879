#pragma once

// A consuming load: connections that fetch one partition from its first record to its last, one request at a time as
// consumers do, and begin again. Runs on any loop.

#include "load_client.hpp"

namespace rafka::bench {

struct Consume {
    SocketAddress address;
    std::string topic;                       // Must exist and hold something. Empty: the other side is the floor.
    int connections = 1;
    int32_t partition_bytes_max = 1 << 20;   // Consumers' default.
    double seconds = 5;
    double warmup_seconds = 1;
    bool once = false;                       // Each connection reads everything once, and all of it is measured.
    std::function<double()> cpu;
};

// `requests` are fetches, `bytes` those of whole batches (a broker may send a part of one more, which a consumer drops).
Task<> run_consume(Loop& loop, Consume consume, LoadResult& result);

}  // namespace rafka::bench
