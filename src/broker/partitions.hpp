#pragma once

// Brings the engine to what the metadata says: opens the logs of this node's partitions, removes those of deleted
// topics, gives each its options. On the home loop.

#include "metadata/config_table.hpp"
#include "metadata/image.hpp"

#include <rafka/engine.hpp>
#include <rafka/loop.hpp>

#include <cstdint>
#include <set>
#include <vector>

namespace rafka::broker {

class Partitions {
public:
    // `static_configs` is borrowed.
    Partitions(Engine& engine, Loop& home, int32_t node_id, const metadata::ConfigMap& static_configs)
        : engine_(engine), home_(home), node_id_(node_id), static_configs_(static_configs), tasks_(home), changed_(home) {}
    Partitions(const Partitions&) = delete;
    Partitions& operator=(const Partitions&) = delete;

    // At start: opens every partition of ours, several at a time, and sets found directories aside that belong to none.
    // A partition that cannot be opened is logged and missing; the others are served. Where only room or descriptors were
    // short, it is tried again until it is there.
    Task<> open_all(metadata::ImagePtr image);
    // Afterwards, for each committed change; one at a time.
    Task<> apply(metadata::ImagePtr image, const metadata::Changes& changes);
    // Nothing is tried again after this.
    Task<> stop();

private:
    struct Wanted {
        const metadata::Topic* topic;
        int32_t partition;
    };
    // A list that several tasks work off.
    struct Opening {
        const metadata::Image& image;
        std::vector<Wanted> wanted;
        size_t next = 0;
        const metadata::Topic* last_topic = nullptr;
        LogOptions last_options{};  // Of last_topic: most topics have several partitions.
    };
    bool is_ours(const metadata::PartitionState& state) const;
    Task<> apply_all(const metadata::Image& image, const metadata::Changes& changes);
    Task<> open(const metadata::Image& image, std::vector<Wanted> wanted);
    Task<> open_missing();
    Task<> open_some(Opening& opening);
    Task<> remove_one(const metadata::Topic& topic, int32_t partition);
    Task<> open_one(const metadata::Topic& topic, int32_t partition, LogOptions options);
    Task<> lead(PartitionKey key, LeaderEpoch epoch);
    Task<> configure(const metadata::Image& image, const metadata::Topic& topic);
    LogOptions options_of(const metadata::Image& image, const metadata::Topic& topic) const;

    Engine& engine_;
    Loop& home_;
    int32_t node_id_;
    const metadata::ConfigMap& static_configs_;

    metadata::ImagePtr image_;
    struct Missing {
        auto operator<=>(const Missing&) const = default;
        std::string topic;
        int32_t partition;
    };
    std::set<Missing> missing_;  // Tried again.
    Errc shortage_ = Errc::disk_full;  // Why.
    Scope tasks_;
    Event changed_;
    bool retrying_ = false;
    bool working_ = false;  // Changes are applied, or what is missing is tried.
    bool stopping_ = false;
};

}  // namespace rafka::broker
