#pragma once

// A whole broker over the loops it is given. It starts no thread and reads no clock of its own, so a simulator can run
// it. What it owns, as a tree:
//
//   Broker
//   ├── Engine              the log directory (its home is the first loop)
//   ├── Controller          the metadata log; its image says what there is
//   ├── Partitions          brings the engine to what the image says
//   ├── Shard, one per loop     image, fetch sessions, frame memory
//   │   └── Connection ...          replies, requests in progress
//   └── Listener, one per address   accepts on the first loop, hands connections out in turn

#include "broker/config.hpp"
#include "broker/config_layers.hpp"
#include "broker/listener.hpp"
#include "broker/partitions.hpp"
#include "broker/producer_ids.hpp"
#include "broker/shard.hpp"
#include "metadata/controller.hpp"
#include "metadata/format.hpp"

#include <rafka/engine.hpp>

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rafka::broker {

class Broker {
public:
    // `hostname` is what clients are told where a listener is bound to every interface.
    Broker(std::span<Loop* const> loops, Config config, std::string hostname);
    ~Broker();  // Requires stop(), or a start() that failed.
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    // On the first loop; all loops must be running. Returns when clients are served. On failure everything is closed
    // again, and `problem` has a sentence for whoever starts brokers.
    Task<Result<>> start(std::string* problem);
    // Stops accepting, lets connections finish what they have begun (at most `grace`), closes the log directory cleanly.
    Task<Result<>> stop(Duration grace = std::chrono::seconds(5));

    // After start(): where it listens, with the real ports, and what clients are told.
    const std::vector<metadata::Endpoint>& bound() const { return bound_; }
    const std::vector<metadata::Endpoint>& advertised() const { return advertised_; }

    // For handlers, on any loop: these do not change while connections are served.
    const Config& config() const { return config_; }
    const std::string& cluster_id() const { return identity_.cluster_id; }
    int16_t kraft_version() const { return kraft_version_; }
    Engine& engine() { return *engine_; }
    size_t loop_count() const { return loops_.size(); }
    // Where a fetch session of that number is, if it is anywhere. On that shard's loop only.
    Shard& shard_of_session(int32_t id) { return *shards_[uint32_t(id) % shards_.size()]; }
    // For handlers, by call_on(home()).
    Loop& home() { return *loops_.front(); }
    metadata::ControllerClient& controller() { return *controller_; }
    ProducerIds& producer_ids() { return *producer_ids_; }

private:
    Task<Result<>> listen(std::string* problem);
    Task<Result<>> open(std::string* problem);
    Task<> apply(metadata::ImagePtr image, metadata::Changes changes);
    Task<> publish(metadata::ImagePtr image);
    Task<Result<>> close();

    std::vector<Loop*> loops_;
    Config config_;
    std::string hostname_;
    metadata::DirectoryIdentity identity_;
    int16_t kraft_version_ = 0;
    std::vector<metadata::Endpoint> bound_;
    std::vector<metadata::Endpoint> advertised_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<metadata::Controller> controller_;
    std::unique_ptr<ProducerIds> producer_ids_;
    std::unique_ptr<Partitions> partitions_;
    std::atomic<size_t> connection_count_ = 0;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    Scope accepting_;
};

}  // namespace rafka::broker
