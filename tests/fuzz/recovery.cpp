// Starts on damaged log directories. The input chooses one of directories() and says what happens to its files (wounds.hpp).
//
// A log opens or is refused. What is opened
//   is a chain of batches in order, read to its end; after a crash with valid checksums (L1);
//   has, after a crash, everything that lies before the first damage to a .log file (L6);
//   is found by time as a walk finds it, and is the same when every index is lost (L7);
//   is the same at a second start, whether the first one was killed as soon as it was up or closed;
//   takes appends.
// A broker starts, and then starts again, or says why not.

#include "fuzz/directories.hpp"
#include "fuzz/broker_config.hpp"
#include "fuzz/target.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "broker/broker.hpp"
#include "engine/paths.hpp"

#include <limits>
#include <optional>
#include <utility>

using namespace rafka;
using namespace rafka::fuzz;

namespace {

constexpr Isolation everything = Isolation::read_uncommitted;
constexpr uint64_t seed = 1;

// What a log says of itself.
struct State {
    std::optional<Errc> refused;
    Offset start, end, stable;
    LeaderEpoch epoch = -1;
    std::vector<std::string> batches;
    std::optional<Errc> unreadable;
    std::vector<std::optional<Offset>> by_time;

    bool operator==(const State&) const = default;
};

// One life of the engine on a disk.
struct Life {
    explicit Life(sim::Disk disk) : machine(seed, machine_options(), std::move(disk)) {}

    sim::Machine machine;
    sim::World world{machine, seed};
    std::unique_ptr<Engine> engine;
    Partition* partition = nullptr;

    // Only what is durable.
    sim::Disk photograph() const {
        sim::Random random(seed);
        return machine.photograph(sim::CrashChoice(sim::Keep::none, sim::Keep::none, sim::Keep::none), random);
    }
    bool close() {
        auto closed = world.run(engine->close(7));
        engine.reset();
        return closed.has_value();
    }
};

Task<> open(Life& life, State& state) {
    auto engine = co_await Engine::open(life.world.loops(), engine_options());
    if (!engine) {
        state.refused = engine.error();
        co_return;
    }
    life.engine = std::move(*engine);
    auto partition = co_await life.engine->open_partition(partition_key(), "events", log_options());
    if (!partition) {
        state.refused = partition.error();
        co_return;
    }
    life.partition = *partition;
    state.start = life.partition->log_start_offset();
    state.end = life.partition->log_end_offset();
    state.stable = life.partition->last_stable_offset();
    state.epoch = life.partition->leader_epoch();
    ASSERT(state.start.value >= 0 && state.start <= state.end);
    ASSERT(state.stable <= state.end && life.partition->high_watermark() == state.end);
}

// L1, as far as it can be read.
Task<> read_all(Life& life, State& state) {
    auto next = state.start;
    std::string bytes;
    while (next < state.end) {
        auto records = co_await life.partition->read(next, 700, true, everything);
        if (!records) state.unreadable = records.error();
        if (!records || records->pieces.empty()) break;
        bytes.clear();
        for (auto& piece : records->pieces) bytes += as_text(piece.bytes);
        auto before = next;
        for (Bytes rest = as_bytes(bytes); !rest.empty();) {
            auto batch = BatchView::frame(rest);
            ASSERT(batch);
            ASSERT(batch->last_offset() >= next && (batch->base_offset() >= next || next == before));
            ASSERT(batch->last_offset() < state.end);
            next = batch->next_offset();
            state.batches.emplace_back(as_text(batch->bytes()));
            rest = rest.subspan(batch->size());
        }
        ASSERT(next > before);
    }
}

std::vector<Timestamp> times_of(const State& state) {
    std::vector<Timestamp> times{{std::numeric_limits<int64_t>::min()}, {0}, {std::numeric_limits<int64_t>::max()}};
    for (auto& bytes : state.batches) times.push_back(BatchView::trusted(as_bytes(bytes)).max_timestamp());
    return times;
}

Task<> find_times(Life& life, State& state) {
    for (auto time : times_of(state)) {
        auto found = co_await life.partition->find_by_timestamp(time, everything);
        state.by_time.push_back(found ? std::optional(found->offset) : std::nullopt);
    }
    auto latest = co_await life.partition->find_max_timestamp(everything);
    state.by_time.push_back(latest ? std::optional(latest->offset) : std::nullopt);
}

State start(Life& life) {
    State state;
    life.world.run(open(life, state));
    if (life.partition) {
        life.world.run(read_all(life, state));
        life.world.run(find_times(life, state));
    }
    return state;
}

// Every record with its time, if each batch is what its header says; else nothing.
std::optional<std::vector<std::pair<Offset, Timestamp>>> records_of(const State& state) {
    std::vector<std::pair<Offset, Timestamp>> records;
    for (auto& bytes : state.batches) {
        auto batch = BatchView::trusted(as_bytes(bytes));
        auto reader = RecordReader::open(batch, 1 << 20);
        if (!reader || batch.last_offset_delta() != batch.record_count() - 1) return std::nullopt;
        auto largest = no_timestamp;
        RecordView record;
        for (int32_t i = 0; reader->next(record); ++i) {
            if (record.offset_delta != i || !read_headers(record)) return std::nullopt;
            largest = std::max(largest, reader->timestamp_of(record));
            records.emplace_back(reader->offset_of(record), reader->timestamp_of(record));
        }
        if (!reader->ok() || largest != batch.max_timestamp()) return std::nullopt;
    }
    return records;
}

// L7: the answers by time are those of a walk.
void check_times(const State& state) {
    auto records = records_of(state);
    if (!records) return;
    std::erase_if(*records, [&](auto& record) { return record.first < state.start; });
    auto times = times_of(state);
    for (size_t i = 0; i < times.size(); ++i) {
        auto first = std::find_if(records->begin(), records->end(), [&](auto& record) { return record.second >= times[i]; });
        // A batch without any time is not looked into.
        if (first != records->end() && first->second == no_timestamp) continue;
        ASSERT(state.by_time[i] == (first == records->end() ? no_offset : first->first));
    }
}

// L6: what lies before the first damage is there.
void check_prefix(const Directory& directory, const Wounds& wounds, const State& state) {
    for (auto& [path, position] : wounds.first_touched) {
        bool spared = path.ends_with(".log") || path.ends_with(".index") || path.ends_with(".timeindex") ||
                      path.ends_with(".snapshot") || path.ends_with("/leader-epoch-checkpoint");
        // Something that is not of the directory, or what says where the log starts and whose it is.
        if (!spared || !directory.tree.contains(path)) return;
    }
    ASSERT(!state.refused);
    size_t count = 0;
    for (auto& [path, content] : directory.tree) {
        if (!path.starts_with(log_path) || !path.ends_with(".log")) continue;
        auto touched = wounds.first_touched.find(path);
        auto whole = touched == wounds.first_touched.end() ? content.size() : size_t(touched->second);
        for (Bytes rest = as_bytes(content); !rest.empty();) {
            auto batch = BatchView::frame(rest);
            if (!batch) break;  // The zeros behind the last.
            if (content.size() - rest.size() + batch->size() > whole) return;
            ASSERT(count < state.batches.size() && state.batches[count] == as_text(batch->bytes()));
            ++count;
            rest = rest.subspan(batch->size());
        }
        if (touched != wounds.first_touched.end()) return;
    }
    ASSERT(count == state.batches.size());
}

Task<> append_one(Life& life) {
    BatchBuilder builder;
    builder.add(Timestamp{1'700'000'000'000}, std::nullopt, as_bytes("new"));
    auto batch = builder.build();
    auto end = life.partition->log_end_offset();
    auto appended = co_await life.partition->append(batch, Origin::client);
    // The last offset there is may be taken.
    if (end.value > std::numeric_limits<int64_t>::max() - 2) co_return;
    ASSERT(appended && appended->base_offset == end);
    auto records = co_await life.partition->read(end, 1000, true, everything);
    ASSERT(records && records->size == batch.size());
}

void check_log(const Directory& directory, const Wounds& wounds, sim::Disk disk) {
    Life first(std::move(disk));
    auto state = start(first);
    if (directory.all_unsure) check_prefix(directory, wounds, state);
    if (!first.partition) {
        if (first.engine) first.close();
        return;
    }
    auto survivor = first.photograph();
    // Whoever says that everything is whole, though it is not, is believed until an index has to be built anew.
    bool files_whole = directory.all_unsure || std::ranges::none_of(wounds.first_touched, [](auto& touched) {
        return touched.first.find(".log") != std::string::npos;
    });
    bool epochs_whole = std::ranges::none_of(wounds.first_touched, [](auto& touched) {
        return touched.first.ends_with("/leader-epoch-checkpoint");
    });
    bool closed = first.close();
    ASSERT(closed);
    {
        // After a crash nothing is believed, so now every answer is right.
        Life second{sim::Disk(survivor)};
        auto again = start(second);
        ASSERT(again.refused == state.refused && again.start == state.start && again.end == state.end);
        ASSERT(again.batches == state.batches && again.stable == state.stable);
        // Where the epochs' own file is lost, only who reads all batches knows them again.
        if (epochs_whole) ASSERT(again.epoch == state.epoch);
        ASSERT(again.unreadable == state.unreadable);
        second.close();
    }
    auto tree = tree_of(survivor);
    std::erase_if(tree, [](auto& file) { return file.first.ends_with(".index") || file.first.ends_with(".timeindex"); });
    {
        Life third(disk_of(tree));
        auto without = start(third);
        if (files_whole) ASSERT(without.start == state.start && without.end == state.end);
        if (files_whole && !without.unreadable) {
            ASSERT(without.batches == state.batches);
            check_times(without);
            third.world.run(append_one(third));
        }
        third.close();
    }
    Life last(first.photograph());
    auto closed_state = start(last);
    ASSERT(!closed_state.refused && closed_state.start == state.start && closed_state.end == state.end);
    ASSERT(closed_state.batches == state.batches);
    last.close();
}

// True: it started.
bool start_broker(sim::Disk& disk) {
    sim::Machine machine(seed, machine_options(), std::move(disk));
    sim::World world(machine, seed);
    broker::Broker broker(world.loops(), broker_config(), "localhost");
    std::string problem;
    auto started = world.run(broker.start(&problem));
    if (started) {
        world.run_for(std::chrono::milliseconds(10));
        (void)world.run(broker.stop());  // Partitions that cannot be opened are a reason not to be clean.
    } else {
        ASSERT(!problem.empty());
    }
    sim::Random random(seed);
    disk = machine.photograph(sim::CrashChoice(sim::Keep::none, sim::Keep::none, sim::Keep::none), random);
    return started.has_value();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    log::set_level(log::Level::off);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Input input(data, size);
    auto& all = directories();
    auto& directory = all[input.choice(all.size())];
    auto tree = directory.tree;
    auto wounds = wound(tree, input);
    auto disk = disk_of(tree);
    if (directory.of_broker) {
        bool started = start_broker(disk);
        bool again = start_broker(disk);
        ASSERT(again == started);
    } else {
        check_log(directory, wounds, std::move(disk));
    }
    return 0;
}
