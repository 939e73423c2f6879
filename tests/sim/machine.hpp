#pragma once

// One simulated process's world: disk, network, clock and chance, all from a seed, shared by the Sims of its loops. Each
// operation completes at a time the seed chooses; its effect happens then and not before. Every completion feeds the
// trace hash: two runs of one seed must have equal traces.
//
// A crash is a photograph: photograph() gives the disk as it would be found after a power failure now, and the running
// world goes on (to be wound down, or to be photographed again). A new Machine starts from the photograph. So one run
// of a workload yields the images of all its crash points, and nothing has to be torn out of a running world.

#include "sim/clock.hpp"
#include "sim/disk.hpp"
#include "sim/network.hpp"
#include "sim/random.hpp"

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace rafka::sim {

// Chances of failures, each per operation.
struct FaultRates {
    double read = 0;             // EIO.
    double write = 0;            // EIO, some sectors written.
    double sync = 0;             // EIO; what it covered may be lost for good.
    double no_space = 0;         // ENOSPC of a write, an allocation or a new file.
    double short_transfer = 0;   // A read or write does less than it could.
    FaultRates() {}
};

// Fails one operation of that code, after `skip` others, on a path or file whose name ends so.
struct PlannedFault {
    Code code;
    std::string name_end;
    uint32_t skip;
    int error;
};

struct MachineOptions {
    DiskOptions disk;
    NetworkOptions network;
    Duration latency_min = std::chrono::microseconds(20);
    Duration latency_max = std::chrono::milliseconds(2);
    double slow = 0.02;  // Chance that an operation takes fifty times as long.
    int descriptors_max = 4096;
    Timestamp wall{1'700'000'000'000};
    // Disks that lie, so that tests of tests can see them found out.
    bool durable_writes_lie = false;
    bool syncs_lie = false;
    MachineOptions() {}
};

class Sim;

class Machine {
public:
    explicit Machine(uint64_t seed, const MachineOptions& options = MachineOptions());
    // Starts from what a crash left.
    Machine(uint64_t seed, const MachineOptions& options, Disk disk);
    ~Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    // The Io of one more loop. Owned by the machine.
    Sim& add_io();

    // The disk after a crash now: what is in flight may have happened in part.
    Disk photograph(const CrashChoice& choice, Random& random) const;
    // Called before the effect of each operation on files: a crash point.
    std::function<void()> at_boundary;
    uint64_t boundary_count() const { return boundaries_; }

    Disk& disk() { return disk_; }
    Network& network() { return network_; }
    const Network& network() const { return network_; }
    Clock& clock() { return clock_; }
    FaultRates faults;  // May change at any time.
    void plan(PlannedFault fault) { planned_.push_back(std::move(fault)); }
    bool plans_left() const { return !planned_.empty(); }

    // The stream of a descriptor, to be reset or half closed by a test.
    SocketId socket_of(int descriptor) const { return SocketId(descriptors_.at(descriptor).target); }

    uint64_t trace() const { return trace_; }
    void add_to_trace(uint64_t value);
    size_t descriptor_count() const { return descriptors_.size(); }
    size_t in_flight_count() const { return pending_.size(); }
    uint64_t completion_count() const { return completions_; }
    uint64_t injected_count() const { return injected_; }

private:
    friend class Sim;
    struct Descriptor {
        enum class Kind : uint8_t { file, socket } kind;
        uint64_t target;  // NodeId or SocketId.
        uint32_t flags;
        uint32_t in_flight = 0;
    };
    struct Pending {
        Operation* operation = nullptr;
        Sim* io = nullptr;
        Instant due = never;
        int descriptor_error = 0;
        uint64_t target = 0;          // NodeId or SocketId of `file`.
        uint32_t file_flags = 0;
        uint64_t disk_sequence = 0;   // At submission.
        size_t progress = 0;
        bool canceled = false;
        std::vector<std::byte> data;  // What the device has read of a write's buffers, when it did so early.
        bool has_data = false;
    };

    void submit(Sim& io, Operation& operation);
    void cancel(Operation& operation);
    // True: complete, with its result set.
    bool attempt(Ticket ticket);
    void schedule(Ticket ticket, Instant at);
    std::optional<int> act(Ticket ticket, Pending& pending, Instant& retry);
    std::optional<int> act_on_socket(Ticket ticket, Pending& pending, Instant& retry);
    int act_on_file(Pending& pending);
    int open(Operation& operation);
    int close(int file, uint32_t in_flight);
    int read(Pending& pending);
    int write(Pending& pending);
    int fault_of(const Pending& pending);
    size_t shortened(const Pending& pending, size_t bytes);
    bool misaligned(const Pending& pending) const;
    std::string name_of(const Pending& pending) const;
    int new_descriptor(Descriptor descriptor);
    Duration latency();
    void trace_completion(const Pending& pending);

    MachineOptions options_;
    Random chance_;         // Latencies and interleavings.
    Random fault_chance_;
    Random given_;          // What Io::random() gives.
    Clock clock_;
    Disk disk_;
    Network network_;
    std::vector<std::unique_ptr<Sim>> ios_;
    std::map<Ticket, Pending> pending_;
    std::map<int, Descriptor> descriptors_;
    std::map<NodeId, int> locks_;  // By descriptor.
    std::list<PlannedFault> planned_;
    Ticket last_ticket_ = 0;
    uint64_t trace_ = 0;
    uint64_t boundaries_ = 0;
    uint64_t completions_ = 0;
    uint64_t injected_ = 0;
    bool prints_ = false;  // RAFKA_SIM_TRACE is set: each completion on standard error.
};

class Sim final : public Io {
public:
    Sim(Machine& machine, uint32_t index) : machine_(machine), index_(index) {}

    void submit(Operation& operation) override;
    void cancel(Operation& operation) override;
    Operation* poll(Instant until) override;
    void wake() override { woken_ = true; }
    void drop(int file) override { machine_.close(file, 0); }
    Instant now() const override { return machine_.clock_.now(); }
    Timestamp wall() const override { return machine_.clock_.wall(); }
    uint64_t random() override { return machine_.given_.next(); }

    // When something may complete, never if nothing is on its way.
    Instant next_due() const { return due_.empty() ? never : due_.begin()->first; }
    uint32_t index() const { return index_; }

private:
    friend class Machine;
    Machine& machine_;
    uint32_t index_;
    std::set<std::pair<Instant, Ticket>> due_;
    bool woken_ = false;
};

}  // namespace rafka::sim
