#include "broker/partitions.hpp"

#include "base/log.hpp"
#include "broker/config_layers.hpp"
#include "broker/gather.hpp"
#include "io/errc.hpp"
#include "metadata/controller.hpp"

#include <algorithm>

namespace rafka::broker {

namespace {
// Opening is mostly waiting for small reads.
constexpr size_t opening_max = 64;
constexpr Duration retry_pause = std::chrono::seconds(1);

// Runs on the partition's loop.
Task<Result<>> become_leader(Engine& engine, PartitionKey key, LeaderEpoch epoch) {
    auto* partition = engine.find(key);
    if (!partition || partition->leader_epoch() >= epoch) co_return Result<>();
    co_return co_await partition->become_leader(epoch);
}

Task<> configure_one(Engine& engine, PartitionKey key, LogOptions options) {
    if (auto* partition = engine.find(key)) partition->configure(options);
    co_return;
}

}  // namespace

bool Partitions::is_ours(const metadata::PartitionState& state) const {
    return std::find(state.replicas.begin(), state.replicas.end(), node_id_) != state.replicas.end();
}

LogOptions Partitions::options_of(const metadata::Image& image, const metadata::Topic& topic) const {
    ConfigLayers layers(image, node_id_, static_configs_);
    return metadata::log_options(ConfigLayers::set_for(image, metadata::ResourceType::topic, topic.name), layers.broker());
}

Task<> Partitions::open_all(metadata::ImagePtr image) {
    image_ = image;
    for (auto& found : engine_.found()) {
        if (found.topic == metadata::cluster_metadata_topic) continue;
        auto* topic = image->topic(std::string_view(found.topic));
        bool known = topic && found.partition >= 0 && size_t(found.partition) < topic->partitions.size() &&
                     (!found.topic_id || *found.topic_id == topic->id) &&
                     is_ours(topic->partitions[size_t(found.partition)]);
        if (known) continue;
        auto aside = co_await engine_.set_aside(found);
        if (aside) log::warn("directory set aside: it belongs to no partition of this node: directory={}", found.directory);
        else log::error("directory not set aside: directory={} reason=\"{}\"", found.directory, to_text(aside.error()));
    }
    std::vector<Wanted> wanted;
    for (auto& topic : image->topics) {
        for (size_t i = 0; i < topic.partitions.size(); ++i) wanted.push_back({&topic, int32_t(i)});
    }
    co_await open(*image, std::move(wanted));
}

Task<> Partitions::apply(metadata::ImagePtr now, const metadata::Changes& changes) {
    while (working_) co_await changed_.wait();
    working_ = true;
    co_await apply_all(*now, changes);
    image_ = std::move(now);
    working_ = false;
    changed_.notify_all();
}

Task<> Partitions::apply_all(const metadata::Image& image, const metadata::Changes& changes) {
    if (!changes.deleted.empty()) {
        Gather gather(home_);
        for (auto& topic : changes.deleted) {
            for (size_t i = 0; i < topic->partitions.size(); ++i) {
                if (is_ours(topic->partitions[i])) gather.start(remove_one(*topic, int32_t(i)));
            }
        }
        co_await gather.done();
    }
    std::vector<Wanted> wanted;
    for (auto& topic : changes.created) {
        for (size_t i = 0; i < topic->partitions.size(); ++i) wanted.push_back({topic.get(), int32_t(i)});
    }
    for (auto& grown : changes.grown) {
        for (size_t i = size_t(grown.first); i < grown.topic->partitions.size(); ++i) wanted.push_back({grown.topic.get(), int32_t(i)});
    }
    if (!wanted.empty()) co_await open(image, std::move(wanted));
    for (auto& key : changes.altered) {
        auto* state = image.partition(key);
        if (state && state->leader == node_id_) co_await lead(key, state->leader_epoch);
    }
    for (auto& resource : changes.configs) {
        if (resource.type == metadata::ResourceType::topic) {
            if (auto* topic = image.topic(std::string_view(resource.name))) co_await configure(image, *topic);
        } else if (resource.type == metadata::ResourceType::broker) {
            for (auto& topic : image.topics) co_await configure(image, topic);
        }
    }
}

Task<> Partitions::open(const metadata::Image& image, std::vector<Wanted> wanted) {
    Opening opening{image, std::move(wanted)};
    Gather gather(home_);
    auto before = missing_.size();
    for (size_t i = 0; i < std::min(opening_max, opening.wanted.size()); ++i) gather.start(open_some(opening));
    co_await gather.done();
    if (missing_.size() <= before) co_return;
    auto& [topic, partition] = *missing_.begin();
    log::error("{} partitions not opened, tried again until they are: reason=\"{}\" first={}-{}", missing_.size(), to_text(shortage_), topic, partition);
    if (retrying_ || stopping_) co_return;
    retrying_ = true;
    tasks_.start(open_missing());
}

Task<> Partitions::open_missing() {
    while (!missing_.empty() && !stopping_) {
        co_await changed_.wait_until(home_.now() + retry_pause);
        if (working_ || stopping_) continue;
        working_ = true;
        auto image = image_;
        std::vector<Wanted> wanted;
        for (auto at = missing_.begin(); at != missing_.end();) {
            auto* topic = image->topic(std::string_view(at->topic));
            bool there = topic && size_t(at->partition) < topic->partitions.size();
            if (there) wanted.push_back({topic, at->partition});
            at = there ? std::next(at) : missing_.erase(at);
        }
        co_await open(*image, std::move(wanted));
        if (missing_.empty()) log::info("all partitions are open");
        working_ = false;
        changed_.notify_all();
    }
    retrying_ = false;
}

Task<> Partitions::stop() {
    stopping_ = true;
    changed_.notify_all();
    co_await tasks_.drained();
}

Task<> Partitions::open_some(Opening& opening) {
    while (opening.next < opening.wanted.size()) {
        auto wanted = opening.wanted[opening.next++];
        if (!is_ours(wanted.topic->partitions[size_t(wanted.partition)])) continue;
        if (opening.last_topic != wanted.topic) {
            opening.last_options = options_of(opening.image, *wanted.topic);
            opening.last_topic = wanted.topic;
        }
        co_await open_one(*wanted.topic, wanted.partition, opening.last_options);
    }
}

Task<> Partitions::open_one(const metadata::Topic& topic, int32_t partition, LogOptions options) {
    PartitionKey key{topic.id, partition};
    auto opened = co_await engine_.open_partition(key, topic.name, options);
    if (!opened && io::is_shortage(opened.error())) {
        missing_.insert({topic.name, partition});
        shortage_ = opened.error();
        co_return;
    }
    missing_.erase({topic.name, partition});
    if (!opened) {
        log::error("partition not opened: topic={} partition={} reason=\"{}\"", topic.name, partition, to_text(opened.error()));
        co_return;
    }
    auto& state = topic.partitions[size_t(partition)];
    if (state.leader == node_id_) co_await lead(key, state.leader_epoch);
}

Task<> Partitions::remove_one(const metadata::Topic& topic, int32_t partition) {
    auto removed = co_await engine_.remove_partition(PartitionKey{topic.id, partition});
    // One that could not be opened is not there to be removed.
    if (removed || removed.error() == Errc::unknown_partition) co_return;
    log::error("partition not removed: topic={} partition={} reason=\"{}\"", topic.name, partition, to_text(removed.error()));
}

Task<> Partitions::lead(PartitionKey key, LeaderEpoch epoch) {
    auto led = co_await call_on(engine_.loop_of(key), become_leader(engine_, key, epoch));
    if (!led) log::error("leader epoch not stored: partition={} epoch={} reason=\"{}\"", key.partition, epoch, to_text(led.error()));
}

Task<> Partitions::configure(const metadata::Image& image, const metadata::Topic& topic) {
    auto options = options_of(image, topic);
    for (size_t i = 0; i < topic.partitions.size(); ++i) {
        PartitionKey key{topic.id, int32_t(i)};
        if (is_ours(topic.partitions[i])) co_await call_on(engine_.loop_of(key), configure_one(engine_, key, options));
    }
}

}  // namespace rafka::broker
