#include <rafka/engine.hpp>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "engine/checkpoint_file.hpp"
#include "engine/files.hpp"
#include "engine/inline_writes.hpp"
#include "engine/log.hpp"
#include "engine/paths.hpp"
#include "engine/shard.hpp"

#include <algorithm>
#include <map>

namespace rafka {
namespace engine {
namespace {

// The log of the metadata quorum lies beside the others, but is not one of them (Kafka's LogManager leaves it out too).
constexpr std::string_view metadata_directory = "__cluster_metadata-0";
constexpr size_t parallel_max = 16;
constexpr Duration idle_time = std::chrono::seconds(60);

using Name = std::pair<std::string, int32_t>;  // Topic and partition.
using Offsets = std::map<Name, Offset>;

// What a shard says of its logs at a checkpoint.
struct Points {
    Offsets recovery, start, high_watermark;
    bool whole = true;
    Points() {}
};

}  // namespace

class DirectoryEngine final : public Engine {
public:
    DirectoryEngine(std::span<Loop* const> loops, EngineOptions options)
        : options_(std::move(options)), home_(*loops[0]), io_(home_.io()), tasks_(home_), ended_(home_), changed_(home_) {
        for (auto* loop : loops) shards_.push_back(std::make_unique<Shard>(*loop, options_, space_));
    }

    Task<Result<>> open();

    const EngineOptions& options() const override { return options_; }
    bool was_clean() const override { return was_clean_; }
    int64_t previous_broker_epoch() const override { return previous_broker_epoch_; }
    const std::vector<FoundLog>& found() const override { return found_; }
    Task<bool> probe_inline_writes() override { return engine::probe_inline_writes(io_, options_.directory); }

    Loop& loop_of(const PartitionKey& key) const override { return shard_of(key).loop; }
    Task<Result<Partition*>> open_partition(PartitionKey key, std::string topic, LogOptions options) override;
    Partition* find(const PartitionKey& key) const override {
        auto& logs = shard_of(key).logs;
        auto found = logs.find(key);
        return found == logs.end() ? nullptr : found->second.get();
    }
    Task<Result<>> remove_partition(PartitionKey key) override;
    Task<Result<>> set_aside(const FoundLog& log) override;
    Task<Result<>> checkpoint() override;
    Task<Result<>> close(int64_t broker_epoch) override;

private:
    // A partition directory by its name, while it is open or on its way.
    struct Opened {
        PartitionKey key;
        Log* log = nullptr;  // Null while it is being opened.
        int64_t delete_delay_ms = 0;
    };

    Shard& shard_of(const PartitionKey& key) const { return *shards_[std::hash<PartitionKey>{}(key) % shards_.size()]; }
    std::string path(std::string_view name) const { return options_.directory + "/" + std::string(name); }

    Task<Result<>> probe();
    Task<Result<>> read_marker();
    Task<Result<Offsets>> read_offsets(std::string_view name);
    Task<Result<>> scan();
    Task<> read_topic_ids(size_t& next);
    Task<Result<Log*>> open_on(Shard& shard, PartitionKey key, std::string topic, std::string directory, LogOptions options,
                               bool exists, Loading how);
    Task<> take_out(Shard& shard, PartitionKey key);
    Task<Result<>> rename_away(std::string from, std::string topic, int32_t partition, DirectoryState state, std::string& to);
    Task<> delete_later(std::string directory, Duration delay);
    Task<Points> collect(Shard& shard);
    Task<Points> close_shard(Shard& shard);
    Task<> close_logs(Shard& shard, std::vector<Log*>& logs, Points& points);
    static void note(const Log& log, Points& points);
    Task<Result<>> write_points(Points points);
    Task<Result<>> write_offsets(std::string_view name, Offsets& known, const Offsets& now);
    Task<> keep_checkpoints();
    Uuid random_id();

    EngineOptions options_;
    Loop& home_;
    Io& io_;
    Space space_;
    std::vector<std::unique_ptr<Shard>> shards_;
    Scope tasks_;
    Event ended_;    // Closing: sleepers wake.
    Event changed_;  // A partition is open, or a checkpoint is done.
    bool closing_ = false;
    bool checkpointing_ = false;

    io::File lock_;
    bool was_clean_ = false;
    int64_t previous_broker_epoch_ = -1;
    std::vector<FoundLog> found_;
    std::map<std::string, std::optional<Uuid>> directories_;  // Those of found() that are not open, by name.
    std::map<std::string, Opened> opened_;
    // As the checkpoint files have them: what is not open keeps its lines.
    Offsets recovery_, start_, high_watermark_;
};

// ---- Opening the directory.

Task<Result<>> DirectoryEngine::open() {
    CO_CHECKED(co_await io::make_directories(io_, options_.directory));
    CO_CHECKED(co_await probe());
    CO_TRY(auto lock, co_await io::File::open(io_, path(lock_file), flag::write | flag::create));
    CO_CHECKED(co_await lock.lock());
    lock_ = std::move(lock);
    CO_CHECKED(co_await read_marker());
    CO_TRY(recovery_, co_await read_offsets(recovery_point_file));
    CO_TRY(start_, co_await read_offsets(log_start_file));
    CO_TRY(high_watermark_, co_await read_offsets(high_watermark_file));
    CO_CHECKED(co_await scan());
    tasks_.start(keep_checkpoints());
    co_return Result<>();
}

// Whether files here can be written directly. Before the lock is taken: a record lock goes with any descriptor of its file.
Task<Result<>> DirectoryEngine::probe() {
    CO_TRY(auto file, co_await io::File::open(io_, path(lock_file), flag::write | flag::create));
    co_await close_file(std::move(file));
    CO_TRY(auto status, co_await io::status_of(io_, path(lock_file)));
    auto suits = [](uint32_t alignment) { return alignment > 0 && block_size % alignment == 0; };
    bool direct = options_.direct && suits(status.direct_memory_alignment) && suits(status.direct_offset_alignment);
    if (options_.direct && !direct) {
        log::info("the file system takes no direct writes: segments are written through its cache and synced: directory={}", options_.directory);
    }
    for (auto& shard : shards_) shard->direct = direct;
    co_return Result<>();
}

// Gone before anything is opened, so that a crash from here on counts as one.
Task<Result<>> DirectoryEngine::read_marker() {
    auto text = co_await io::read_file(io_, path(clean_shutdown_file));
    if (!text && text.error() == Errc::not_found) co_return Result<>();
    if (!text) co_return fail(text.error());
    was_clean_ = true;
    previous_broker_epoch_ = broker_epoch_of(as_text(*text));
    CO_CHECKED(co_await io::remove(io_, path(clean_shutdown_file)));
    co_return co_await io::sync_directory(io_, options_.directory);
}

Task<Result<Offsets>> DirectoryEngine::read_offsets(std::string_view name) {
    auto text = co_await io::read_file(io_, path(name));
    if (!text && text.error() == Errc::not_found) co_return Offsets{};
    if (!text) co_return fail(text.error());
    auto lines = offsets_of(as_text(*text));
    Offsets offsets;
    if (!lines) {
        log::warn("checkpoint ignored, it does not parse: file={}", path(name));
        co_return offsets;
    }
    for (auto& line : *lines) {
        bool possible = line.offset.value >= 0 && line.offset <= offset_max;
        if (possible) offsets[{line.topic, line.partition}] = line.offset;
        else log::warn("checkpoint's line ignored: file={} topic={} partition={} offset={}", path(name), line.topic, line.partition, line.offset.value);
    }
    co_return offsets;
}

Task<Result<>> DirectoryEngine::scan() {
    CO_TRY(auto entries, co_await io::list(io_, options_.directory));
    for (auto& entry : entries) {
        if (!entry.is_directory || entry.name == metadata_directory) continue;
        auto parsed = partition_directory_of(entry.name);
        if (!parsed) {
            log::warn("not a partition's directory, left alone: directory={}", path(entry.name));
            continue;
        }
        if (parsed->state == DirectoryState::deleted) {
            tasks_.start(delete_later(entry.name, std::chrono::milliseconds(LogOptions().file_delete_delay_ms)));
        } else if (parsed->state == DirectoryState::live) {
            FoundLog log;
            log.directory = entry.name;
            log.topic = parsed->topic;
            log.partition = parsed->partition;
            found_.push_back(std::move(log));
        }
    }
    size_t next = 0;
    Scope readers(home_);
    for (size_t i = 0; i < std::min(parallel_max, found_.size()); ++i) readers.start(read_topic_ids(next));
    co_await readers.drained();
    for (auto& log : found_) directories_[log.directory] = log.topic_id;
    co_return Result<>();
}

Task<> DirectoryEngine::read_topic_ids(size_t& next) {
    while (next < found_.size()) {
        auto& log = found_[next++];
        auto text = co_await io::read_file(io_, path(log.directory + "/" + std::string(partition_metadata_file)));
        if (!text) {
            if (text.error() != Errc::not_found) log::warn("topic id not read: directory={} error={}", path(log.directory), to_text(text.error()));
            continue;
        }
        auto id = topic_id_of(as_text(*text));
        if (id) log.topic_id = *id;
        else log::warn("topic id does not parse: directory={}", path(log.directory));
    }
}

// ---- Partitions.

Task<Result<Partition*>> DirectoryEngine::open_partition(PartitionKey key, std::string topic, LogOptions options) {
    auto name = partition_directory(topic, key.partition);
    for (auto opened = opened_.find(name); opened != opened_.end(); opened = opened_.find(name)) {
        if (opened->second.key != key) co_return fail(Errc::exists);  // Another topic of that name is still here.
        if (opened->second.log) co_return static_cast<Partition*>(opened->second.log);
        co_await changed_.wait();
    }
    if (closing_) co_return fail(Errc::closed);
    Opened mine;
    mine.key = key;
    mine.delete_delay_ms = options.file_delete_delay_ms;
    opened_[name] = mine;
    auto give_up = [&](Errc errc) {
        opened_.erase(name);
        changed_.notify_all();
        return fail(errc);
    };

    bool exists = false;
    if (name == metadata_directory) {
        auto there = co_await io::path_exists(io_, path(name));
        if (!there) co_return give_up(there.error());
        exists = *there;
    } else if (auto found = directories_.find(name); found != directories_.end()) {
        exists = true;
        if (found->second && *found->second != key.topic_id) {
            log::warn("directory of an older topic set aside: directory={}", path(name));
            std::string to;
            auto away = co_await rename_away(name, topic, key.partition, DirectoryState::stray, to);
            if (!away) co_return give_up(away.error());
            directories_.erase(name);
            exists = false;
        }
    }
    Name line{topic, key.partition};
    Loading how;
    how.clean = was_clean_;
    if (exists) {
        if (auto at = recovery_.find(line); at != recovery_.end()) how.recovery_point = at->second;
        if (auto at = start_.find(line); at != start_.end()) how.log_start = at->second;
    } else {
        recovery_.erase(line);
        start_.erase(line);
        high_watermark_.erase(line);
    }
    auto& shard = shard_of(key);
    auto log = co_await call_on(shard.loop, open_on(shard, key, topic, path(name), std::move(options), exists, how));
    if (!log) {
        log::debug("partition not opened: directory={} error={}", path(name), to_text(log.error()));
        // What a failed creation left is begun again by the next attempt.
        co_return give_up(log.error());
    }
    directories_.erase(name);
    opened_[name].log = *log;
    changed_.notify_all();
    co_return static_cast<Partition*>(*log);
}

Task<Result<Log*>> DirectoryEngine::open_on(Shard& shard, PartitionKey key, std::string topic, std::string directory,
                                            LogOptions options, bool exists, Loading how) {
    auto log = std::make_unique<Log>(shard, key, std::move(topic), std::move(directory), std::move(options));
    Result<> done;
    if (exists) done = co_await log->load(how);
    else done = co_await log->create();
    if (!done) {
        co_await log->end();
        co_await log->close_files();
        co_return fail(done.error());
    }
    auto* opened = log.get();
    shard.logs[key] = std::move(log);
    co_return opened;
}

Task<Result<>> DirectoryEngine::remove_partition(PartitionKey key) {
    auto at = std::find_if(opened_.begin(), opened_.end(), [&](auto& entry) { return entry.second.key == key && entry.second.log; });
    if (at == opened_.end()) co_return fail(Errc::unknown_partition);
    auto name = at->first;
    auto delay = std::chrono::milliseconds(at->second.delete_delay_ms);
    auto topic = at->second.log->topic();
    at->second.log = nullptr;  // Until the directory has its other name, nobody opens one of this name.
    auto& shard = shard_of(key);
    co_await call_on(shard.loop, take_out(shard, key));
    std::string to;
    auto renamed = co_await rename_away(name, topic, key.partition, DirectoryState::deleted, to);
    Name line{topic, key.partition};
    recovery_.erase(line);
    start_.erase(line);
    high_watermark_.erase(line);
    opened_.erase(name);
    changed_.notify_all();
    if (!renamed) co_return renamed;
    if (!closing_) tasks_.start(delete_later(to, delay));
    co_return Result<>();
}

Task<> DirectoryEngine::take_out(Shard& shard, PartitionKey key) {
    auto at = shard.logs.find(key);
    ASSERT(at != shard.logs.end());
    auto log = std::move(at->second);
    shard.logs.erase(at);
    co_await log->end();
    co_await log->close_files();
    shard.removed.push_back(std::move(log));
}

Task<Result<>> DirectoryEngine::rename_away(std::string from, std::string topic, int32_t partition, DirectoryState state, std::string& to) {
    to = partition_directory(topic, partition, state, random_id());
    CO_CHECKED(co_await io::rename(io_, path(from), path(to)));
    co_return co_await io::sync_directory(io_, options_.directory);
}

Task<> DirectoryEngine::delete_later(std::string directory, Duration delay) {
    auto due = home_.now() + delay;
    while (!closing_ && home_.now() < due) co_await ended_.wait_until(due);
    if (closing_) co_return;  // The next start finds it.
    auto removed = co_await io::remove_tree(io_, path(directory));
    if (!removed) log::warn("directory not removed: directory={} error={}", path(directory), to_text(removed.error()));
}

Task<Result<>> DirectoryEngine::set_aside(const FoundLog& log) {
    auto name = log.directory;
    if (!directories_.contains(name)) co_return fail(Errc::not_found);
    Name line{log.topic, log.partition};
    std::string to;
    CO_CHECKED(co_await rename_away(name, log.topic, log.partition, DirectoryState::stray, to));
    log::warn("directory of no topic set aside: directory={} now={}", path(name), to);
    directories_.erase(name);
    recovery_.erase(line);
    start_.erase(line);
    high_watermark_.erase(line);
    co_return Result<>();
}

// ---- Checkpoints and the end.

void DirectoryEngine::note(const Log& log, Points& points) {
    Name line{log.topic(), log.key().partition};
    if (log.directory().ends_with(metadata_directory)) return;
    points.recovery[line] = log.recovery_point();
    points.high_watermark[line] = log.high_watermark();
    if (log.starts_inside()) points.start[line] = log.log_start_offset();
}

Task<Points> DirectoryEngine::collect(Shard& shard) {
    std::vector<Log*> logs;
    for (auto& [key, log] : shard.logs) logs.push_back(log.get());
    Points points;
    for (auto* log : logs) {
        auto point = co_await log->checkpoint();
        if (!point && !log->offline()) {
            log::warn("checkpoint of a partition failed: directory={} error={}", log->directory(), to_text(point.error()));
        }
        auto now = shard.loop.now();
        if (now.since_start > idle_time) co_await log->relax(Instant{now.since_start - idle_time});
        if (shard.logs.contains(log->key())) note(*log, points);
    }
    co_return points;
}

Task<Result<>> DirectoryEngine::checkpoint() {
    while (checkpointing_) co_await changed_.wait();
    if (closing_) co_return Result<>();
    checkpointing_ = true;
    Points points;
    for (auto& shard : shards_) {
        auto part = co_await call_on(shard->loop, collect(*shard));
        points.recovery.merge(part.recovery);
        points.start.merge(part.start);
        points.high_watermark.merge(part.high_watermark);
    }
    auto written = co_await write_points(std::move(points));
    checkpointing_ = false;
    changed_.notify_all();
    co_return written;
}

Task<Result<>> DirectoryEngine::write_points(Points points) {
    CO_CHECKED(co_await write_offsets(recovery_point_file, recovery_, points.recovery));
    CO_CHECKED(co_await write_offsets(log_start_file, start_, points.start));
    co_return co_await write_offsets(high_watermark_file, high_watermark_, points.high_watermark);
}

// Lines of logs that are not open stay; those of logs that were removed since they were asked do not come back.
Task<Result<>> DirectoryEngine::write_offsets(std::string_view name, Offsets& known, const Offsets& now) {
    auto open = [&](const Name& line) { return opened_.contains(partition_directory(line.first, line.second)); };
    std::erase_if(known, [&](auto& entry) { return open(entry.first); });
    for (auto& [line, offset] : now) {
        if (open(line)) known[line] = offset;
    }
    std::vector<PartitionOffset> lines;
    for (auto& [line, offset] : known) {
        PartitionOffset entry;
        entry.topic = line.first;
        entry.partition = line.second;
        entry.offset = offset;
        lines.push_back(std::move(entry));
    }
    auto text = offsets_text(lines);
    co_return co_await io::write_file_atomically(io_, path(name), as_bytes(text));
}

Task<> DirectoryEngine::keep_checkpoints() {
    auto interval = std::chrono::milliseconds(options_.checkpoint_interval_ms);
    auto due = home_.now() + interval;
    while (!closing_) {
        co_await ended_.wait_until(due);
        if (closing_ || home_.now() < due) continue;
        auto done = co_await checkpoint();
        if (!done) log::warn("checkpoint failed: directory={} error={}", options_.directory, to_text(done.error()));
        due = home_.now() + interval;
    }
}

Task<Points> DirectoryEngine::close_shard(Shard& shard) {
    shard.closing = true;
    shard.ended.notify_all();
    std::vector<Log*> logs;
    for (auto& [key, log] : shard.logs) logs.push_back(log.get());
    Points points;
    Scope closers(shard.loop);
    for (size_t i = 0; i < std::min(parallel_max, shard.logs.size()); ++i) closers.start(close_logs(shard, logs, points));
    co_await closers.drained();
    co_await shard.tasks.drained();
    co_return points;
}

Task<> DirectoryEngine::close_logs(Shard&, std::vector<Log*>& logs, Points& points) {
    while (!logs.empty()) {
        auto* log = logs.back();
        logs.pop_back();
        auto closed = co_await log->close();
        if (!closed) {
            points.whole = false;
            log::warn("partition not closed cleanly: directory={} error={}", log->directory(), to_text(closed.error()));
        }
        note(*log, points);
    }
}

Task<Result<>> DirectoryEngine::close(int64_t broker_epoch) {
    ASSERT(!closing_);
    closing_ = true;
    ended_.notify_all();
    while (checkpointing_) co_await changed_.wait();
    co_await tasks_.drained();
    Points points;
    for (auto& shard : shards_) {
        auto part = co_await call_on(shard->loop, close_shard(*shard));
        points.recovery.merge(part.recovery);
        points.start.merge(part.start);
        points.high_watermark.merge(part.high_watermark);
        points.whole &= part.whole;
    }
    // After a crash, what nobody has opened is not recovered.
    bool whole = points.whole && (was_clean_ || directories_.empty());
    auto done = co_await write_points(std::move(points));
    if (done && whole) {
        auto text = clean_shutdown_text(broker_epoch);
        done = co_await io::write_file_atomically(io_, path(clean_shutdown_file), as_bytes(text));
    }
    co_await close_file(std::move(lock_));
    if (done && !whole) co_return fail(Errc::storage_offline);
    co_return done;
}

Uuid DirectoryEngine::random_id() {
    Uuid id;
    for (size_t i = 0; i < id.bytes.size(); i += 8) {
        auto bits = io_.random();
        for (size_t j = 0; j < 8; ++j) id.bytes[i + j] = std::byte(bits >> (8 * j));
    }
    return id;
}

}  // namespace engine

Task<Result<std::unique_ptr<Engine>>> Engine::open(std::span<Loop* const> loops, EngineOptions options) {
    ASSERT(!loops.empty() && &Loop::current() == loops[0]);
    auto opening = std::make_unique<engine::DirectoryEngine>(loops, std::move(options));
    CO_CHECKED(co_await opening->open());
    co_return std::unique_ptr<Engine>(std::move(opening));
}

}  // namespace rafka
