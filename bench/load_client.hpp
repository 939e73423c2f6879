#pragma once

// A producing load: connections that send one encoded Produce request over and over. A request's time runs from when it
// was meant to be sent, not from when it could be, and every request that was meant to be sent in the measured time
// counts: one that waits behind a stall, one that is answered after the end, and one that never was (with the time it had
// waited when we gave up). So a broker that stalls cannot hide it by holding the load back (coordinated omission).
//
// Runs on any loop; which CPU time is measured is the caller's business.

#include <rafka/io.hpp>
#include <rafka/loop.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rafka::bench {

struct Load {
    SocketAddress address;
    std::string topic;               // Must exist. Empty: the other side is the floor (floor.hpp).
    int32_t partitions = 1;
    uint32_t batch_bytes = 1024;     // Size of a record batch, header included, about.
    int connections = 1;
    int in_flight = 1;               // Per connection, at most.
    double requests_per_second = 0;  // Of all connections (open loop); 0: as fast as answers come (closed loop).
    double seconds = 5;
    double warmup_seconds = 1;       // Not measured.
    uint64_t requests_max = 0;       // 0: no bound but time.
    std::function<double()> cpu;     // CPU seconds used so far by whoever is measured.
};

struct LoadResult {
    uint64_t requests = 0;           // Answered in the measured time.
    uint64_t bytes = 0;              // Of their batches (of a consumer: of whole batches received).
    double seconds = 0;              // Measured.
    double cpu_seconds = 0;          // Used by the other side meanwhile.
    uint64_t unanswered = 0;         // Meant to be sent in the measured time, but given up.
    std::vector<uint32_t> micros;    // Of each request that was meant to be sent in the measured time, sorted.
    std::string problem;             // Empty: every answer was good.

    double megabytes_per_second() const { return seconds > 0 ? double(bytes) / seconds / 1e6 : 0; }
    double cpu_per_gigabyte() const { return bytes > 0 ? cpu_seconds * 1e9 / double(bytes) : 0; }
    double cpu_micros_per_request() const { return requests > 0 ? cpu_seconds * 1e6 / double(requests) : 0; }
    uint32_t percentile(double part) const { return micros.empty() ? 0 : micros[size_t(part * double(micros.size() - 1))]; }
};

Task<> run_load(Loop& loop, Load load, LoadResult& result);

}  // namespace rafka::bench
