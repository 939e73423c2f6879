#pragma once

// The load of bench/load: connections that send one encoded Produce request over and over, and take the time from when
// each request was meant to be sent (not from when it could be) to its answer.

#include <rafka/io.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace rafka::bench {

struct Load {
    SocketAddress address;
    std::string topic = "load";
    int32_t partitions = 1;
    uint32_t batch_bytes = 1024;    // Size of a record batch, header included, about.
    int connections = 1;
    int in_flight = 1;              // Per connection, at most.
    double requests_per_second = 0; // Of all connections; 0: as fast as answers come (closed loop).
    double seconds = 5;
    double warmup_seconds = 1;
};

struct LoadResult {
    uint64_t requests = 0;          // Answered after the warm-up.
    uint64_t bytes = 0;             // Of batches.
    double seconds = 0;
    std::vector<uint32_t> micros;   // Of each request, sorted.
    std::string problem;            // Empty: every answer was good.

    double megabytes_per_second() const { return seconds > 0 ? double(bytes) / seconds / 1e6 : 0; }
    uint32_t percentile(double part) const {
        return micros.empty() ? 0 : micros[size_t(part * double(micros.size() - 1))];
    }
};

// Creates the topic if need be (CreateTopics), runs the load, returns when it is over. `at_start` runs after the warm-up.
LoadResult run_load(const Load& load, void (*at_start)(void* context), void* context);
// Time from now to the first answered Metadata request, trying to connect all along; nothing within `limit`: negative.
double seconds_to_first_metadata(const SocketAddress& address, double limit);

// A server that receives frames, checks a CRC-32C over each, and answers with 64 bytes: the floor of a produce request
// without a disk. Never returns.
[[noreturn]] void serve_floor(int listening_socket);

}  // namespace rafka::bench
