#include "metadata/config_table.hpp"

#include <algorithm>
#include <array>

namespace rafka::metadata {
namespace {

using enum ConfigType;
constexpr auto honoured = ConfigEffect::honoured;
constexpr auto stored = ConfigEffect::stored;
constexpr bool dynamic = true, at_restart = false;
constexpr int64_t mebibyte = 1 << 20;

constexpr ConfigCheck any{};
constexpr ConfigCheck at_least(int64_t low) { return {ConfigCheck::Kind::at_least, low, 0, {}}; }
constexpr ConfigCheck between(int64_t low, int64_t high) { return {ConfigCheck::Kind::between, low, high, {}}; }
constexpr ConfigCheck one_of(std::string_view choices) { return {ConfigCheck::Kind::one_of, 0, 0, choices}; }
constexpr ConfigCheck list_of(std::string_view choices) { return {ConfigCheck::Kind::list_of, 0, 0, choices}; }
constexpr ConfigCheck gzip_level{ConfigCheck::Kind::gzip_level, 1, 9, {}};
constexpr ConfigCheck throttled_replicas{ConfigCheck::Kind::throttled_replicas, 0, 0, {}};
constexpr ConfigCheck codecs = one_of("uncompressed,zstd,lz4,snappy,gzip,producer");
constexpr ConfigCheck timestamp_types = one_of("CreateTime,LogAppendTime");

// Ordered by name: find_config() searches by halves.
constexpr std::array topic_keys{
    ConfigKey{"cleanup.policy", list, "delete", list_of("compact,delete"), dynamic, honoured,
        "What happens to old data: delete removes whole segments by age or size, compact keeps the newest record of each key. "
        "A topic with compact refuses records without a key. Removal itself does not run yet."},
    ConfigKey{"compression.gzip.level", int32, "-1", gzip_level, dynamic, honoured,
        "Level for compression.type=gzip: 1 to 9, or -1 for the codec's own choice."},
    ConfigKey{"compression.lz4.level", int32, "9", between(1, 17), dynamic, honoured, "Level for compression.type=lz4."},
    ConfigKey{"compression.type", string, "producer", codecs, dynamic, honoured,
        "The codec batches are stored with. With producer they stay as their producer sent them."},
    ConfigKey{"compression.zstd.level", int32, "3", between(-131072, 22), dynamic, honoured, "Level for compression.type=zstd."},
    ConfigKey{"delete.retention.ms", int64, "86400000", at_least(0), dynamic, stored,
        "How long the mark of a deleted key outlives compaction."},
    ConfigKey{"file.delete.delay.ms", int64, "60000", at_least(0), dynamic, honoured,
        "How long files of a deleted partition stay on disk."},
    ConfigKey{"flush.messages", int64, "9223372036854775807", at_least(1), dynamic, stored,
        "Records after which Kafka forces its log to disk. Here every acknowledged record is on disk."},
    ConfigKey{"flush.ms", int64, "9223372036854775807", at_least(0), dynamic, stored,
        "Time after which Kafka forces its log to disk. Here every acknowledged record is on disk."},
    ConfigKey{"follower.replication.throttled.replicas", list, "", throttled_replicas, dynamic, stored,
        "Replicas whose catching up is throttled, as PARTITION:BROKER, or * for all."},
    ConfigKey{"index.interval.bytes", int32, "4096", at_least(0), dynamic, honoured,
        "Bytes of log between two entries of the offset index."},
    ConfigKey{"leader.replication.throttled.replicas", list, "", throttled_replicas, dynamic, stored,
        "Replicas whose feeding is throttled, as PARTITION:BROKER, or * for all."},
    ConfigKey{"local.retention.bytes", int64, "-2", at_least(-2), dynamic, stored, "Bytes to keep locally of a tiered log."},
    ConfigKey{"local.retention.ms", int64, "-2", at_least(-2), dynamic, stored, "Time to keep a tiered log locally."},
    ConfigKey{"max.compaction.lag.ms", int64, "9223372036854775807", at_least(1), dynamic, stored,
        "Longest time a record may wait for compaction."},
    ConfigKey{"max.message.bytes", int32, "1048588", at_least(0), dynamic, honoured,
        "Largest batch that is accepted, header included, as stored."},
    ConfigKey{"message.timestamp.after.max.ms", int64, "3600000", at_least(0), dynamic, honoured,
        "How far a record's timestamp may lie in the broker's future."},
    ConfigKey{"message.timestamp.before.max.ms", int64, "9223372036854775807", at_least(0), dynamic, honoured,
        "How far a record's timestamp may lie in the broker's past."},
    ConfigKey{"message.timestamp.type", string, "CreateTime", timestamp_types, dynamic, honoured,
        "Whose clock dates records: the producer's or, with LogAppendTime, the broker's."},
    ConfigKey{"min.cleanable.dirty.ratio", real, "0.5", between(0, 1), dynamic, stored,
        "Share of a log that must be unclean before it is compacted."},
    ConfigKey{"min.compaction.lag.ms", int64, "0", at_least(0), dynamic, stored, "Time a record stays safe from compaction."},
    ConfigKey{"min.insync.replicas", int32, "1", at_least(1), dynamic, stored,
        "In-sync replicas that must exist for a write with acks=all."},
    ConfigKey{"preallocate", boolean, "false", any, dynamic, stored,
        "Kafka's switch for allocating segments at once. Here they are always allocated ahead, in steps."},
    ConfigKey{"remote.log.copy.disable", boolean, "false", any, dynamic, stored, "Stops copying to tiered storage."},
    ConfigKey{"remote.log.delete.on.disable", boolean, "false", any, dynamic, stored,
        "Deletes the remote part when tiered storage is switched off."},
    ConfigKey{"remote.storage.enable", boolean, "false", any, dynamic, stored, "Tiered storage, which this broker does not have."},
    ConfigKey{"retention.bytes", int64, "-1", any, dynamic, stored, "Size of a partition above which old segments go; -1: none."},
    ConfigKey{"retention.ms", int64, "604800000", at_least(-1), dynamic, stored, "Age at which segments go; -1: none."},
    ConfigKey{"segment.bytes", int32, "1073741824", at_least(mebibyte), dynamic, honoured, "Size at which a new segment is begun."},
    ConfigKey{"segment.index.bytes", int32, "10485760", at_least(4), dynamic, honoured,
        "Largest size of an index; a segment whose index is full is rolled."},
    ConfigKey{"segment.jitter.ms", int64, "0", at_least(0), dynamic, honoured,
        "Random time taken off segment.ms, so that partitions do not roll together."},
    ConfigKey{"segment.ms", int64, "604800000", at_least(1), dynamic, honoured, "Age at which a new segment is begun."},
    ConfigKey{"unclean.leader.election.enable", boolean, "false", any, dynamic, stored,
        "Lets a replica that is not in sync lead, at the price of lost records."},
};

constexpr std::array broker_keys{
    ConfigKey{"advertised.listeners", list, std::nullopt, any, at_restart, honoured,
        "Addresses that clients are told to connect to. Unset, they are derived from listeners: the address bound to, or the "
        "host's name where that is a wildcard."},
    ConfigKey{"auto.create.topics.enable", boolean, "true", any, at_restart, honoured,
        "Creates a topic when a client that allows it asks for its metadata."},
    ConfigKey{"broker.id", int32, std::nullopt, at_least(0), at_restart, honoured, "Older name of node.id."},
    ConfigKey{"broker.rack", string, std::nullopt, any, at_restart, honoured, "Where this broker stands, as told to clients."},
    ConfigKey{"compression.gzip.level", int32, "-1", gzip_level, dynamic, honoured, "Default of the topic key of that name."},
    ConfigKey{"compression.lz4.level", int32, "9", between(1, 17), dynamic, honoured, "Default of the topic key of that name."},
    ConfigKey{"compression.type", string, "producer", codecs, dynamic, honoured, "Default of the topic key of that name."},
    ConfigKey{"compression.zstd.level", int32, "3", between(-131072, 22), dynamic, honoured,
        "Default of the topic key of that name."},
    ConfigKey{"connections.max.idle.ms", int64, "600000", any, at_restart, honoured, "Closes connections that were silent so long."},
    ConfigKey{"controller.listener.names", list, "CONTROLLER", any, at_restart, honoured,
        "Names in listeners that belong to the controller. They are written to the metadata log, and not opened: the controller is "
        "part of this process."},
    ConfigKey{"controller.quorum.bootstrap.servers", list, "", any, at_restart, honoured,
        "Where Kafka looks for its controllers. Read for the controller's address when listeners does not name it."},
    ConfigKey{"default.replication.factor", int32, "1", at_least(1), at_restart, honoured,
        "Replicas of a topic whose creator names no number."},
    ConfigKey{"delete.topic.enable", boolean, "true", any, at_restart, honoured, "Allows topics to be deleted."},
    ConfigKey{"fetch.max.bytes", int32, "57671680", at_least(1024), at_restart, honoured, "Most bytes that one fetch returns."},
    ConfigKey{"listener.security.protocol.map", list, "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT", any, at_restart, honoured,
        "Protocol of each listener name. PLAINTEXT is the only one there is."},
    ConfigKey{"listeners", list, "PLAINTEXT://127.0.0.1:9092", any, at_restart, honoured,
        "Addresses to listen on, as NAME://HOST:PORT; no host: all interfaces; port 0: a free one."},
    ConfigKey{"log.cleaner.delete.retention.ms", int64, "86400000", at_least(0), dynamic, stored, "Default of delete.retention.ms."},
    ConfigKey{"log.cleaner.max.compaction.lag.ms", int64, "9223372036854775807", at_least(1), dynamic, stored,
        "Default of max.compaction.lag.ms."},
    ConfigKey{"log.cleaner.min.cleanable.ratio", real, "0.5", between(0, 1), dynamic, stored,
        "Default of min.cleanable.dirty.ratio."},
    ConfigKey{"log.cleaner.min.compaction.lag.ms", int64, "0", at_least(0), dynamic, stored, "Default of min.compaction.lag.ms."},
    ConfigKey{"log.cleanup.policy", list, "delete", list_of("compact,delete"), dynamic, honoured, "Default of cleanup.policy."},
    ConfigKey{"log.dir", list, std::nullopt, any, at_restart, honoured, "The data directory, where log.dirs is not set."},
    ConfigKey{"log.dirs", list, std::nullopt, any, at_restart, honoured, "The data directory. There can be one."},
    ConfigKey{"log.flush.interval.messages", int64, "9223372036854775807", at_least(1), dynamic, stored,
        "Default of flush.messages."},
    ConfigKey{"log.flush.interval.ms", int64, std::nullopt, any, dynamic, stored, "Default of flush.ms."},
    ConfigKey{"log.flush.offset.checkpoint.interval.ms", int32, "60000", at_least(0), at_restart, honoured,
        "How often recovery points are written down."},
    ConfigKey{"log.flush.scheduler.interval.ms", int64, "9223372036854775807", any, at_restart, stored,
        "Default of flush.ms where log.flush.interval.ms is not set."},
    ConfigKey{"log.index.interval.bytes", int32, "4096", at_least(0), dynamic, honoured, "Default of index.interval.bytes."},
    ConfigKey{"log.index.size.max.bytes", int32, "10485760", at_least(4), dynamic, honoured, "Default of segment.index.bytes."},
    ConfigKey{"log.local.retention.bytes", int64, "-2", at_least(-2), dynamic, stored, "Default of local.retention.bytes."},
    ConfigKey{"log.local.retention.ms", int64, "-2", at_least(-2), dynamic, stored, "Default of local.retention.ms."},
    ConfigKey{"log.message.timestamp.after.max.ms", int64, "3600000", at_least(0), dynamic, honoured,
        "Default of message.timestamp.after.max.ms."},
    ConfigKey{"log.message.timestamp.before.max.ms", int64, "9223372036854775807", at_least(0), dynamic, honoured,
        "Default of message.timestamp.before.max.ms."},
    ConfigKey{"log.message.timestamp.type", string, "CreateTime", timestamp_types, dynamic, honoured,
        "Default of message.timestamp.type."},
    ConfigKey{"log.preallocate", boolean, "false", any, dynamic, stored, "Default of preallocate."},
    ConfigKey{"log.retention.bytes", int64, "-1", any, dynamic, stored, "Default of retention.bytes."},
    ConfigKey{"log.retention.hours", int32, "168", any, at_restart, stored,
        "Default of retention.ms, where log.retention.ms and log.retention.minutes are not set."},
    ConfigKey{"log.retention.minutes", int32, std::nullopt, any, at_restart, stored,
        "Default of retention.ms, where log.retention.ms is not set."},
    ConfigKey{"log.retention.ms", int64, std::nullopt, any, dynamic, stored, "Default of retention.ms."},
    ConfigKey{"log.roll.hours", int32, "168", at_least(1), at_restart, honoured,
        "Default of segment.ms, where log.roll.ms is not set."},
    ConfigKey{"log.roll.jitter.hours", int32, "0", at_least(0), at_restart, honoured,
        "Default of segment.jitter.ms, where log.roll.jitter.ms is not set."},
    ConfigKey{"log.roll.jitter.ms", int64, std::nullopt, any, dynamic, honoured, "Default of segment.jitter.ms."},
    ConfigKey{"log.roll.ms", int64, std::nullopt, any, dynamic, honoured, "Default of segment.ms."},
    ConfigKey{"log.segment.bytes", int32, "1073741824", at_least(mebibyte), dynamic, honoured, "Default of segment.bytes."},
    ConfigKey{"log.segment.delete.delay.ms", int64, "60000", at_least(0), dynamic, honoured, "Default of file.delete.delay.ms."},
    ConfigKey{"max.connections", int32, "2147483647", at_least(0), at_restart, honoured,
        "Connections at a time; at the bound new ones wait in the kernel's queue."},
    ConfigKey{"max.incremental.fetch.session.cache.slots", int32, "1000", at_least(0), at_restart, honoured,
        "Incremental fetch sessions that are kept."},
    ConfigKey{"message.max.bytes", int32, "1048588", at_least(0), dynamic, honoured, "Default of max.message.bytes."},
    ConfigKey{"min.insync.replicas", int32, "1", at_least(1), dynamic, stored, "Default of the topic key of that name."},
    ConfigKey{"node.id", int32, "1", at_least(0), at_restart, honoured, "Number of this node. A data directory keeps the one it began with."},
    ConfigKey{"num.partitions", int32, "1", at_least(1), at_restart, honoured, "Partitions of a topic whose creator names no number."},
    ConfigKey{"process.roles", list, "broker,controller", list_of("broker,controller"), at_restart, honoured,
        "Kafka's roles of a process. This one is broker and controller in one."},
    ConfigKey{"producer.id.expiration.ms", int32, "86400000", at_least(1), at_restart, honoured,
        "Time after which an idempotent producer that was silent is forgotten."},
    ConfigKey{"rafka.cluster.id", string, std::nullopt, any, at_restart, honoured,
        "Id for a cluster that is begun at first start; unset: a random one. On an existing data directory it must match."},
    ConfigKey{"rafka.io.backend", string, "auto", one_of("auto,uring,epoll"), at_restart, honoured,
        "How the machine is asked: by io_uring, or by epoll and threads. With auto by io_uring where the kernel allows it."},
    ConfigKey{"rafka.log.level", string, "info", one_of("trace,debug,info,warn,error"), at_restart, honoured,
        "Least severity of log lines."},
    ConfigKey{"rafka.loops", int32, "0", between(0, 64), at_restart, honoured,
        "Event loops, each on a thread of its own; 0: one on one or two processors, else one less than there are."},
    ConfigKey{"rafka.memory.chunk.bytes", int64, "67108864", at_least(8 * mebibyte), at_restart, honoured,
        "Memory of each loop for records that are being written and serve readers at the tail. At the bound writers wait for the disk."},
    ConfigKey{"rafka.storage.direct", boolean, "true", any, at_restart, honoured,
        "Writes past the page cache where the file system can. Off, the same promise costs a sync."},
    ConfigKey{"socket.request.max.bytes", int32, "104857600", at_least(1), at_restart, honoured,
        "Largest request; a connection that announces more is closed."},
    ConfigKey{"unclean.leader.election.enable", boolean, "false", any, dynamic, stored, "Default of the topic key of that name."},
};

constexpr bool ordered(std::span<const ConfigKey> keys) {
    for (size_t i = 1; i < keys.size(); ++i) {
        if (!(keys[i - 1].name < keys[i].name)) return false;
    }
    return true;
}
static_assert(ordered(topic_keys) && ordered(broker_keys));

}  // namespace

ConfigUnit ConfigKey::unit() const {
    if (type != int32 && type != int64) return ConfigUnit::none;
    if (name.ends_with(".ms")) return ConfigUnit::milliseconds;
    if (name.ends_with(".seconds")) return ConfigUnit::seconds;
    if (name.ends_with(".minutes")) return ConfigUnit::minutes;
    if (name.ends_with(".hours")) return ConfigUnit::hours;
    if (name.ends_with(".bytes")) return ConfigUnit::bytes;
    return ConfigUnit::none;
}

std::span<const ConfigKey> config_keys(ConfigScope scope) {
    if (scope == ConfigScope::topic) return topic_keys;
    return broker_keys;
}

const ConfigKey* find_config(ConfigScope scope, std::string_view name) {
    auto keys = config_keys(scope);
    auto at = std::ranges::lower_bound(keys, name, {}, &ConfigKey::name);
    return at != keys.end() && at->name == name ? &*at : nullptr;
}

}  // namespace rafka::metadata
