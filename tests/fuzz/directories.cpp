#include "fuzz/directories.hpp"

#include "base/assert.hpp"
#include "broker/broker.hpp"
#include "fuzz/broker_config.hpp"
#include "protocol/messages/create_topics.hpp"
#include "world/client.hpp"

namespace rafka::fuzz {
namespace {

constexpr Timestamp first_time{1'700'000'000'000};
constexpr uint64_t seed = 1;
constexpr int batch_count = 24;

sim::Disk photograph(sim::Machine& machine) {
    sim::Random random(seed);
    return machine.photograph(sim::CrashChoice(sim::Keep::all, sim::Keep::all, sim::Keep::all), random);
}

std::vector<std::byte> batch_at(int number) {
    BatchBuilder::Options options;
    options.codec = Codec(number % 5);
    // Every third is of a producer, of two in turn.
    if (number % 3 == 0) {
        options.producer_id = 1 + number % 2;
        options.producer_epoch = 0;
        options.base_sequence = number / 6 * 2;
    }
    BatchBuilder builder(options);
    auto time = Timestamp{first_time.ms + number * 10};
    builder.add(time, as_bytes("key"), as_bytes("value " + std::to_string(number)));
    builder.add(Timestamp{time.ms + (number % 4 == 0 ? -50 : 1)}, std::nullopt, as_bytes("again"));
    return builder.build();
}

Task<std::unique_ptr<Engine>> write_log(sim::World& world, bool checkpoint) {
    auto engine = co_await Engine::open(world.loops(), engine_options());
    ASSERT(engine);
    auto partition = co_await (*engine)->open_partition(partition_key(), "events", log_options());
    ASSERT(partition);
    for (int i = 0; i < batch_count; ++i) {
        if (i % 10 == 0) {
            auto leads = co_await (*partition)->become_leader(i / 10);
            ASSERT(leads);
        }
        auto batch = batch_at(i);
        auto appended = co_await (*partition)->append(batch, Origin::client);
        ASSERT(appended);
        if (checkpoint && i == batch_count / 2) {
            auto done = co_await (*engine)->checkpoint();
            ASSERT(done);
        }
    }
    // What goes on beside the appends.
    co_await sleep_for(world.loop(), std::chrono::seconds(1));
    co_return std::move(*engine);
}

enum class End : uint8_t { killed, killed_after_checkpoint, closed };

Directory engine_directory(End end) {
    sim::Machine machine(seed, machine_options());
    sim::World world(machine, seed);
    auto engine = world.run(write_log(world, end == End::killed_after_checkpoint));
    Directory directory;
    directory.all_unsure = end == End::killed;
    if (end != End::closed) directory.tree = tree_of(photograph(machine));
    auto closed = world.run(engine->close(7));
    ASSERT(closed);
    if (end == End::closed) directory.tree = tree_of(photograph(machine));
    return directory;
}

Task<> create_topic(uint16_t port) {
    world::Client client(Loop::current());
    auto connected = co_await client.connect(port);
    ASSERT(connected);
    protocol::CreateTopicsRequest request;
    protocol::CreateTopicsRequest::Topic topic;
    topic.name = "events";
    topic.num_partitions = 2;
    topic.replication_factor = 1;
    request.topics = client.one(topic);
    auto created = co_await client.call<protocol::CreateTopicsResponse>(request, 7);
    ASSERT(created && created->topics.size() == 1 && created->topics[0].error_code == protocol::ErrorCode::none);
    co_await client.disconnect();
}

Directory broker_directory(End end) {
    sim::Machine machine(seed, machine_options());
    sim::World world(machine, seed);
    broker::Broker broker(world.loops(), broker_config(), "localhost");
    std::string problem;
    auto started = world.run(broker.start(&problem));
    ASSERT(started);
    world.run(create_topic(broker.bound().front().port));
    Directory directory;
    directory.of_broker = true;
    if (end == End::killed) directory.tree = tree_of(photograph(machine));
    auto stopped = world.run(broker.stop());
    ASSERT(stopped);
    if (end == End::closed) directory.tree = tree_of(photograph(machine));
    return directory;
}

}  // namespace

sim::MachineOptions machine_options() {
    sim::MachineOptions options;
    options.disk.space_bytes = 64 << 20;
    options.wall = Timestamp{first_time.ms + 60'000};
    return options;
}

EngineOptions engine_options() {
    EngineOptions options;
    options.directory = log_directory;
    options.allocation_step_min = 4096;
    options.allocation_step_max = 4096;
    options.chunk_memory_max = 1 << 20;
    return options;
}

LogOptions log_options() {
    LogOptions options;
    options.segment_bytes = 1000;
    options.index_interval_bytes = 150;
    options.max_message_bytes = 900;
    options.timestamp_after_max_ms = std::numeric_limits<int64_t>::max();
    return options;
}

PartitionKey partition_key() {
    PartitionKey key;
    key.topic_id.bytes.fill(std::byte{0x5a});
    return key;
}

sim::Disk disk_of(const Tree& tree) {
    sim::Disk disk(machine_options().disk);
    Timestamp now = first_time;
    for (auto& [path, content] : tree) {
        for (auto slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1)) {
            disk.make_directory(path.substr(0, slash), now);
        }
        sim::NodeId node;
        auto opened = disk.open(path, flag::write | flag::create, now, node);
        ASSERT(opened == 0);
        disk.replace(path, content);
    }
    sim::Random random(seed);
    disk.crash(sim::CrashChoice(sim::Keep::all, sim::Keep::all, sim::Keep::all), random);
    return disk;
}

Tree tree_of(const sim::Disk& disk) {
    auto tree = disk.tree();
    std::erase_if(tree, [&](auto& entry) { return disk.is_directory(disk.find(entry.first)); });
    return tree;
}

const std::vector<Directory>& directories() {
    static const std::vector<Directory> all{engine_directory(End::killed), engine_directory(End::killed_after_checkpoint),
                                            engine_directory(End::closed), broker_directory(End::killed),
                                            broker_directory(End::closed)};
    return all;
}

}  // namespace rafka::fuzz
