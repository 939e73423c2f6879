#pragma once

// The controller of a node alone: the only voter of its quorum. It owns the log __cluster_metadata-0, loads the newest
// snapshot and the log after it into an image, begins a new raft epoch at each start, and turns what the broker asks
// for into committed records. Owned by the broker; lives on the engine's home loop.

#include "metadata/controller_client.hpp"
#include "metadata/image.hpp"

#include <rafka/engine.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rafka::metadata {

inline constexpr std::string_view cluster_metadata_topic = "__cluster_metadata";
PartitionKey cluster_metadata_key();

struct ControllerOptions {
    int32_t node_id = -1;                        // As in meta.properties, like the next two.
    std::string cluster_id;
    Uuid directory_id;
    std::vector<Endpoint> broker_endpoints;      // As advertised.
    std::vector<Endpoint> controller_endpoints;
    std::optional<std::string> rack;
    std::vector<FeatureRange> features;          // What this broker supports; see supported_features().
    int32_t default_partitions = 1;              // num.partitions
    int16_t default_replication_factor = 1;
    uint64_t snapshot_bytes = 20ull << 20;       // metadata.log.max.record.bytes.between.snapshots
    ConfigMap static_configs;                    // Broker keys of the config file, which topic configs fall back to.

    ControllerOptions() {}
};

// The ranges a rafka registers: metadata.version and kraft.version, and later whatever it has.
std::vector<FeatureRange> supported_features();

class Controller : public ControllerClient {
public:
    // Told of every committed change, in order, before the one who asked is answered. It is awaited: a broker may open
    // what was created first.
    using Listener = std::function<Task<>(ImagePtr image, Changes changes)>;

    // Loads or begins the metadata log of a formatted directory (format.hpp), and registers controller and broker.
    // Everything it found is in image(); the listener hears of what comes after. `problem`, if given, receives a
    // sentence when the directory is not fit to be opened.
    static Task<Result<std::unique_ptr<Controller>>> open(Engine& engine, ControllerOptions options,
                                                          std::string* problem = nullptr);
    virtual void listen(Listener listener) = 0;
    virtual ImagePtr image() const = 0;
    // This broker's epoch: the offset of its registration.
    virtual int64_t broker_epoch() const = 0;
    // A finalized feature as well, but one that control records keep, so that it is not in the image.
    virtual int16_t kraft_version() const = 0;
    // Marks the broker as fenced, so that whichever broker opens the directory next need not wait for a session to
    // expire. Waits for requests in progress; later ones are refused. Comes before Engine::close().
    virtual Task<Result<>> close() = 0;
};

}  // namespace rafka::metadata
