#pragma once

// A story of the whole broker: lives of one log directory under a broker with one loop or three, with clients that
// produce and fetch over simulated connections, resets, disk faults and crashes, all from a seed. At every start the
// clients read everything back and judge it.

#include "broker/broker.hpp"
#include "protocol/messages/fetch.hpp"
#include "protocol/messages/produce.hpp"
#include "world/engine_story.hpp"
#include "world/client.hpp"

#include <set>
#include <string>

namespace rafka::world {

struct BrokerModel {
    bool topic_known = false;  // Its creation was answered, or somebody has seen it.
    Uuid topic_id;
    std::vector<LogModel> logs;
    std::vector<ProducerModel> producers;
    std::set<int64_t> producer_ids;
};

struct BrokerCoverage {
    uint64_t lives = 0, crashes = 0, acknowledged = 0, unknown = 0, known_before_ack = 0, fetches = 0, long_polls = 0, offline = 0;
    uint64_t failed_starts = 0, judged_batches = 0;
    void print() const;
    // Many stories must come through all of these.
    bool looked_everywhere() const;
};

class BrokerLife {
public:
    BrokerLife(uint64_t seed, uint32_t loop_count, const sim::MachineOptions& options, sim::Disk disk, Archive& archive,
               BrokerModel& model, BrokerCoverage& coverage);

    sim::Machine machine;
    sim::World world;

    // Starts, finds or creates the topic, reads everything back and judges it. False: it could not.
    Task<bool> start();
    Task<bool> stop();
    // Requests of several clients beside each other.
    Task<> work(sim::Random random);

    bool stopping = false;
    bool has_trouble() const { return machine.injected_count() > 0 || machine.network().options.reset > 0; }

private:
    Task<bool> find_topic();
    Task<bool> judge();
    Task<Result<std::vector<FoundBatch>>> read_all(Client& client, int32_t partition, Offset& high_watermark);
    Task<> produce(size_t producer, uint32_t fresh, uint32_t window, sim::Random random);
    Task<> consume(int32_t partition, uint32_t count, sim::Random random);
    // False: the connection is gone.
    Task<bool> take_answer(Client& client, ProducerModel& producer, BatchId batch, size_t attempt, int16_t version,
                           bool& done, bool& gives_up);
    protocol::ProduceRequest produce_request(Client& client, int32_t partition, Bytes batch);
    protocol::FetchRequest fetch_request(Client& client, int32_t partition, Offset from, int32_t wait_ms, int32_t bytes_max);
    uint16_t port() const { return broker_.bound().front().port; }

    Archive& archive_;
    BrokerModel& model_;
    BrokerCoverage& coverage_;
    broker::Broker broker_;
    bool is_up_ = false;
};

uint64_t play_broker_story(uint64_t seed, BrokerCoverage& coverage);

}  // namespace rafka::world
