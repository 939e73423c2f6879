#include "broker/broker.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "broker/gather.hpp"
#include "io/address.hpp"

namespace rafka::broker {

namespace {

constexpr Duration address_patience = std::chrono::seconds(3);

Task<> set_image(Shard& shard, metadata::ImagePtr image) {
    shard.image = std::move(image);
    co_return;
}

Task<> start_reaper(Shard& shard) {
    shard.tasks.start(shard.reap());
    co_return;
}

Task<> stop_shard(Shard& shard, Instant deadline) { co_await shard.stop(deadline); }

EngineOptions engine_options(const Config& config) {
    EngineOptions options;
    options.directory = config.log_directory;
    options.producer_id_expiration_ms = config.producer_id_expiration_ms;
    options.checkpoint_interval_ms = config.checkpoint_interval_ms;
    options.chunk_memory_max = config.chunk_memory_max;
    options.direct = config.direct;
    return options;
}

Limits limits_of(const Config& config, size_t loop_count) {
    Limits limits;
    limits.frame_bytes_max = config.request_bytes_max;
    limits.idle_max = config.connection_idle_ms < 0 ? Duration(std::chrono::hours(24 * 365)) : Duration(std::chrono::milliseconds(config.connection_idle_ms));
    limits.fetch_bytes_max = config.fetch_bytes_max;
    limits.sessions_max = (config.fetch_sessions_max + loop_count - 1) / loop_count;
    return limits;
}

// Why a listener cannot be opened, and what to do about it.
std::string reason_of_listening(Errc errc) {
    switch (errc) {
        case Errc::address_in_use: return "address in use; end the process that has it (ss -ltnp shows which), or name another port with --listen";
        case Errc::permission: return "permission denied; ports below 1024 need the capability CAP_NET_BIND_SERVICE";
        case Errc::not_found: return "no interface of this machine has that address";
        default: return std::string(to_text(errc));
    }
}

std::string_view advice_on_directory(Errc errc) {
    switch (errc) {
        case Errc::permission: return "; the user who runs this must be able to read and write there";
        case Errc::read_only: return "; mount it writable, or name another with --data";
        case Errc::disk_full: return "; make room first";
        default: return "";
    }
}

Result<> say(std::string* problem, Errc errc, std::string sentence) {
    if (problem && problem->empty()) *problem = std::move(sentence);
    return fail(errc);
}

}  // namespace

Broker::Broker(std::span<Loop* const> loops, Config config, std::string hostname)
    : loops_(loops.begin(), loops.end()), config_(std::move(config)), hostname_(std::move(hostname)), accepting_(*loops_.front()) {
    ASSERT(!loops_.empty());
}

Broker::~Broker() { ASSERT(listeners_.empty()); }

Task<Result<>> Broker::start(std::string* problem) {
    auto opened = co_await listen(problem);
    if (opened) opened = co_await open(problem);
    if (!opened) {
        for (auto& listener : listeners_) co_await listener->close();
        listeners_.clear();
        if (controller_ || engine_) co_await close();
        co_return fail(opened.error());
    }
    auto limits = limits_of(config_, loops_.size());
    for (auto* loop : loops_) {
        auto index = uint32_t(shards_.size());
        shards_.push_back(std::make_unique<Shard>(*loop, *this, limits, index, uint32_t(loops_.size()), connection_count_));
        co_await call_on(*loop, start_reaper(*shards_.back()));
    }
    co_await publish(controller_->image());
    for (auto& listener : listeners_) accepting_.start(listener->run(shards_));
    co_return Result<>();
}

Task<Result<>> Broker::listen(std::string* problem) {
    std::vector<uint16_t> ports;
    for (auto& endpoint : config_.listeners) {
        auto address = io::parse_address(endpoint.host, endpoint.port);
        if (!address) {
            co_return say(problem, address.error(),
                          "cannot listen on " + to_text(endpoint) + ": the host is neither a numeric address nor localhost; "
                          "a name for clients is given with --advertise");
        }
        auto listener = std::make_unique<Listener>(home(), endpoint.name, connection_count_, config_.connections_max);
        auto bound = co_await listener->open(*address);
        // A ring's accept holds its socket for a moment beyond the end of a process that was killed.
        for (auto deadline = home().now() + address_patience; !bound && bound.error() == Errc::address_in_use && home().now() < deadline;) {
            co_await sleep_for(home(), std::chrono::milliseconds(5));
            bound = co_await listener->open(*address);
        }
        if (!bound) {
            auto sentence = "cannot listen on " + to_text(endpoint) + ": " + reason_of_listening(bound.error());
            co_return say(problem, bound.error(), std::move(sentence));
        }
        listeners_.push_back(std::move(listener));
        ports.push_back(bound->port);
        bound_.push_back(endpoint);
        bound_.back().port = bound->port;
    }
    advertised_ = advertise(config_, ports, hostname_);
    co_return Result<>();
}

Task<Result<>> Broker::open(std::string* problem) {
    auto engine = co_await Engine::open(loops_, engine_options(config_));
    if (!engine) {
        auto sentence = engine.error() == Errc::locked
            ? "the log directory " + config_.log_directory + " is in use by another process; each broker needs one of its own (--data)"
            : fmt::format("cannot open the log directory {}: {}{}", config_.log_directory, to_text(engine.error()), advice_on_directory(engine.error()));
        co_return say(problem, engine.error(), std::move(sentence));
    }
    engine_ = std::move(*engine);

    metadata::FormatOptions format;
    format.directory = config_.log_directory;
    format.node_id = config_.node_id;
    format.cluster_id = config_.cluster_id;
    format.controller_endpoints = {config_.controller};
    auto identity = co_await metadata::format_if_needed(home().io(), std::move(format), problem);
    if (!identity) co_return say(problem, identity.error(), "the log directory " + config_.log_directory + " cannot be formatted or read");
    identity_ = std::move(*identity);

    metadata::ControllerOptions options;
    options.node_id = identity_.node_id;
    options.cluster_id = identity_.cluster_id;
    options.directory_id = identity_.directory_id;
    options.broker_endpoints = advertised_;
    options.controller_endpoints = {config_.controller};
    options.rack = config_.rack;
    options.features = metadata::supported_features();
    options.default_partitions = config_.num_partitions;
    options.default_replication_factor = config_.default_replication_factor;
    options.static_configs = config_.values;
    auto controller = co_await metadata::Controller::open(*engine_, std::move(options), problem);
    if (!controller) co_return say(problem, controller.error(), "the metadata log cannot be opened");
    controller_ = std::move(*controller);
    kraft_version_ = controller_->kraft_version();

    producer_ids_ = std::make_unique<ProducerIds>(home(), *controller_);
    partitions_ = std::make_unique<Partitions>(*engine_, home(), config_.node_id, config_.values);
    co_await partitions_->open_all(controller_->image());
    controller_->listen([this](metadata::ImagePtr image, metadata::Changes changes) {
        return apply(std::move(image), std::move(changes));
    });
    co_return Result<>();
}

Task<> Broker::apply(metadata::ImagePtr image, metadata::Changes changes) {
    co_await partitions_->apply(image, changes);
    co_await publish(image);
}

Task<> Broker::publish(metadata::ImagePtr image) {
    for (auto& shard : shards_) co_await call_on(shard->loop, set_image(*shard, image));
}

Task<Result<>> Broker::stop(Duration grace) {
    for (auto& listener : listeners_) listener->stop();
    co_await accepting_.drained();
    listeners_.clear();
    auto deadline = home().now() + grace;
    {
        Gather gather(home());
        for (auto& shard : shards_) gather.start(call_on(shard->loop, stop_shard(*shard, deadline)));
        co_await gather.done();
    }
    co_return co_await close();
}

Task<Result<>> Broker::close() {
    Result<> result;
    int64_t epoch = -1;
    if (partitions_) co_await partitions_->stop();
    if (controller_) {
        epoch = controller_->broker_epoch();
        result = co_await controller_->close();
    }
    if (engine_) {
        auto closed = co_await engine_->close(epoch);
        if (result) result = closed;
    }
    shards_.clear();
    partitions_.reset();
    producer_ids_.reset();
    controller_.reset();
    engine_.reset();
    co_return result;
}

}  // namespace rafka::broker
