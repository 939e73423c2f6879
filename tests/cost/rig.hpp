#pragma once

// A whole broker on one simulated loop and one client beside it, to count what a request costs: instructions,
// allocations, copies, operations. The client is driven from outside of the loop and the simulator lies behind a seam
// of its own, so that what runs in Loop::turn() and not behind the seam is the broker. Everything is the same in each run.

#include "broker/broker.hpp"
#include "sim/machine.hpp"
#include "wire/frame.hpp"
#include "wire/message.hpp"
#include "wire/payload.hpp"

#include <rafka/loop.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rafka::cost {

// Told when the broker hands over to the machine, and when it goes on.
struct Observer {
    virtual ~Observer() = default;
    virtual void broker_runs() = 0;
    virtual void machine_runs() = 0;
};

// What the loop sees of the machine. Its two calls are functions of their own: callgrind leaves them out by name.
class Seam final : public Io {
public:
    explicit Seam(Io& machine) : machine_(machine) {}
    void submit(Operation& operation) override;
    Operation* poll(Instant until) override;
    void cancel(Operation& operation) override { machine_.cancel(operation); }
    void wake() override { machine_.wake(); }
    void drop(int file) override { machine_.drop(file); }
    Instant now() const override { return machine_.now(); }
    Timestamp wall() const override { return machine_.wall(); }
    uint64_t random() override { return machine_.random(); }

    Observer* observer = nullptr;
    uint64_t writes = 0;         // Operations on files, of the log's data.
    uint64_t bytes_written = 0;

private:
    Io& machine_;
};

class Rig {
public:
    // `chunk_memory`: of the tails; small, and it is soon used over and over.
    explicit Rig(uint64_t chunk_memory = 4 << 20);
    ~Rig();
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    Seam& seam() { return seam_; }

    // A frame that can be sent any number of times.
    template <class M>
    std::vector<std::byte> frame_of(const M& message, int16_t version) {
        wire::Payload payload;
        wire::begin_frame(payload);
        wire::write_request_header(payload, {M::schema.key, version, 1, "cost"}, M::schema.flexible(version));
        wire::write(payload, message, version);
        wire::end_frame(payload);
        return payload.copy();
    }
    // Sends the frame and waits for the answer: its bytes behind the length, valid until the next call.
    Bytes call(Bytes frame);
    // The same with `count` requests in flight at once. What the answers say is not looked at.
    void call_at_once(Bytes frame, int count);

    void create_topic(std::string_view name, int32_t partitions);
    // A Produce request of one batch with one record for each of the topic's partitions.
    std::vector<std::byte> produce_frame(std::string_view topic, int32_t partitions, size_t value_size);
    // Asserts that it says success for so many partitions.
    static void check_produced(Bytes answer, int32_t partitions);

private:
    void turn();
    void run_until_done(const bool& done);
    int32_t await(Operation& operation);
    void transfer(Code code, MutableBytes bytes);
    void receive_answer();

    sim::Machine machine_;
    sim::Sim& client_;
    sim::Sim& of_broker_;
    Seam seam_;
    Loop loop_;
    std::unique_ptr<broker::Broker> broker_;
    int socket_ = -1;
    std::vector<std::byte> answer_;
};

// What is counted. Each makes `count` requests after those that warm up.
using Scenario = void (*)(Rig& rig, int count);
void produce(Rig& rig, int count);        // One batch of one record of 1 KiB.
void produce_many(Rig& rig, int count);   // The same to 64 partitions in one request.
void fetch(Rig& rig, int count);          // One batch of one record of 1 KiB, from the tail, without a session.
void fetch_waits(Rig& rig, int count);    // The same at the end of the log, until its time is over.
void fetch_session(Rig& rig, int count);  // The next request of a session of 100 partitions, one of which has a batch.
void fetch_idle(Rig& rig, int count);     // The next request of a session of 500 partitions, none of which changed.

}  // namespace rafka::cost
