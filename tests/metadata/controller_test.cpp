#include "metadata/controller.hpp"

#include "base/log.hpp"
#include "golden.hpp"
#include "io/file.hpp"
#include "metadata/format.hpp"
#include "metadata/quorum_state.hpp"
#include "metadata/snapshot.hpp"
#include "protocol/records/cluster.hpp"
#include "protocol/records/topics.hpp"
#include "sim/world.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <set>

using namespace rafka;
using namespace rafka::metadata;

namespace {

constexpr auto metadata_directory = "/data/__cluster_metadata-0";

// A node in the simulator: a formatted directory, engine and controller.
class Node {
public:
    explicit Node(uint64_t seed, std::optional<sim::Disk> disk = std::nullopt, uint32_t loop_count = 1)
        : machine_(disk ? std::make_unique<sim::Machine>(seed, sim::MachineOptions(), *disk) : std::make_unique<sim::Machine>(seed)),
          world_(std::make_unique<sim::World>(*machine_, seed, loop_count)) {
        options.node_id = 1;
        options.broker_endpoints = {{"PLAINTEXT", "localhost", 9092, 0}};
        options.controller_endpoints = {{"CONTROLLER", "localhost", 9093, 0}};
        options.features = supported_features();
    }

    sim::World& world() { return *world_; }
    sim::Machine& machine() { return *machine_; }
    Io& io() { return world_->loop().io(); }

    void format() {
        FormatOptions format;
        format.directory = "/data";
        format.node_id = options.node_id;
        format.controller_endpoints = options.controller_endpoints;
        auto identity = world_->run(format_if_needed(io(), format, &problem));
        REQUIRE_MESSAGE(identity, problem);
        options.cluster_id = identity->cluster_id;
        options.directory_id = identity->directory_id;
    }
    bool open() {
        EngineOptions engine_options;
        engine_options.directory = "/data";
        auto engine = world_->run(Engine::open(world_->loops(), engine_options));
        REQUIRE(engine);
        engine_ = std::move(*engine);
        auto controller = world_->run(Controller::open(*engine_, options, &problem));
        if (!controller) return false;
        controller_ = std::move(*controller);
        return true;
    }
    void start() {
        format();
        REQUIRE_MESSAGE(open(), problem);
    }
    void stop() {
        if (controller_) REQUIRE(world_->run(controller_->close()));
        stop_engine();
    }
    void stop_engine() {
        REQUIRE(world_->run(engine_->close(controller_ ? controller_->broker_epoch() : -1)));
        controller_.reset();
        engine_.reset();
    }

    void stop_engine_anyhow() {
        (void)world_->run(engine_->close(-1));
        controller_.reset();
        engine_.reset();
    }

    Controller& controller() { return *controller_; }
    const Image& image() { return *controller_->image(); }

    int16_t create(std::string name, int32_t partitions = 1) {
        NewTopic topic;
        topic.name = std::move(name);
        topic.partitions = partitions;
        return world_->run(controller_->create_topics({topic}, false))[0].answer.error;
    }
    std::string topics() {
        std::string text;
        for (auto& topic : image().topics) text += topic.name + ":" + std::to_string(topic.partitions.size()) + " ";
        return text;
    }
    void write(const std::string& path, Bytes bytes) { REQUIRE(world_->run(io::write_file_atomically(io(), path, bytes))); }
    std::vector<std::string> files() {
        auto entries = world_->run(io::list(io(), metadata_directory));
        REQUIRE(entries);
        std::vector<std::string> names;
        for (auto& entry : *entries) names.push_back(entry.name);
        return names;
    }

    ControllerOptions options;
    std::string problem;

private:
    std::unique_ptr<sim::Machine> machine_;
    std::unique_ptr<sim::World> world_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<Controller> controller_;
};

// The metadata log's batches, one line each: offsets, epoch and what kind.
std::string log_of(Node& node) {
    auto file = node.world().run(io::read_file(node.io(), std::string(metadata_directory) + "/00000000000000000000.log"));
    REQUIRE(file);
    std::string text;
    for (Bytes rest = *file; !rest.empty();) {
        auto batch = BatchView::frame(rest);
        REQUIRE(batch);
        text += fmt::format("{}-{}@{}{} ", batch->base_offset().value, batch->last_offset().value, batch->leader_epoch(), batch->is_control() ? "c" : "");
        rest = rest.subspan(batch->size());
    }
    return text;
}

}  // namespace

TEST_CASE("a fresh node begins epoch 1, and each start begins the next") {
    for (uint32_t loops : {1u, 3u}) {
        CAPTURE(loops);
        Node node(loops, std::nullopt, loops);
        node.start();
        CHECK(node.image().features.levels == decltype(Features::levels){{"metadata.version", 30}});
        auto broker = node.image().broker(1);
        REQUIRE(broker);
        CHECK_FALSE(broker->fenced);
        CHECK(broker->epoch == node.controller().broker_epoch());
        CHECK(broker->directories == std::vector<Uuid>{node.options.directory_id});
        CHECK(node.image().controllers.size() == 1);
        auto first_epoch = broker->epoch;
        CHECK(node.create("a", 3) == 0);
        CHECK(node.create("a") == 36);
        CHECK(node.topics() == "a:3 ");
        node.stop();
        // Leader, version and voters; the bootstrap transaction; registrations; a topic; the fence.
        CHECK(log_of(node) == "0-2@1c 3-5@1 6-8@1 9-12@1 13-13@1 ");

        REQUIRE_MESSAGE(node.open(), node.problem);
        CHECK(node.topics() == "a:3 ");
        CHECK(node.image().topic("a")->partitions[2].leader_epoch == 0);
        CHECK(node.controller().broker_epoch() > first_epoch);
        node.stop();
        CHECK(log_of(node) == "0-2@1c 3-5@1 6-8@1 9-12@1 13-13@1 14-14@2c 15-17@2 18-18@2 ");
        auto state = node.world().run(io::read_file(node.io(), std::string(metadata_directory) + "/quorum-state"));
        REQUIRE(state);
        CHECK(as_text(*state) == R"({"leaderId":1,"leaderEpoch":2,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})");
    }
}

namespace {
struct Heard {
    std::string text;
    Loop* loop = nullptr;

    Task<> hear(ImagePtr image, Changes changes) {
        for (auto& topic : changes.created) text += "+" + topic->name;
        for (auto& topic : changes.deleted) text += "-" + topic->name;
        for (auto& grown : changes.grown) text += fmt::format("^{}{}", grown.topic->name, grown.first);
        for (auto& config : changes.configs) text += "=" + config.name;
        co_await Yield(*loop);
        text += fmt::format("@{} ", image->offset.value);
    }
};
}  // namespace

TEST_CASE("the listener has heard of a change before the one who asked is answered") {
    Node node(5);
    node.start();
    Heard heard;
    heard.loop = &node.world().loop();
    node.controller().listen([&heard](ImagePtr image, Changes changes) { return heard.hear(std::move(image), std::move(changes)); });
    CHECK(node.create("a") == 0);
    CHECK(heard.text == "+a@10 ");
    MorePartitions more;
    more.name = "a";
    more.count = 3;
    CHECK(node.world().run(node.controller().create_partitions({more}, true))[0].error == 0);  // Only asked.
    CHECK(heard.text == "+a@10 ");
    CHECK(node.world().run(node.controller().create_partitions({more}, false))[0].error == 0);
    ConfigChanges change;
    change.type = ResourceType::topic;
    change.name = "a";
    change.changes = {{"retention.ms", ConfigOperation::set, "5"}};
    CHECK(node.world().run(node.controller().alter_configs({change}, false))[0].error == 0);
    TopicDeletion deletion;
    deletion.name = "a";
    CHECK(node.world().run(node.controller().delete_topics({deletion}))[0].error == 0);
    CHECK(heard.text == "+a@10 ^a1@12 =a@13 -a@14 ");
    auto first = node.world().run(node.controller().allocate_producer_ids());
    auto second = node.world().run(node.controller().allocate_producer_ids());
    CHECK(first.first == 0);
    CHECK(first.count == 1000);
    CHECK(second.first == 1000);
    node.stop();
    REQUIRE(node.open());
    CHECK(node.world().run(node.controller().allocate_producer_ids()).first == 2000);
    node.stop();
}

TEST_CASE("many requests at once are decided one after the other") {
    Node node(6);
    node.start();
    Scope scope(node.world().loop());
    std::vector<int16_t> answers;
    auto ask = [](Node& node, std::vector<int16_t>& answers, std::string name) -> Task<> {
        NewTopic topic;
        topic.name = std::move(name);
        std::vector<NewTopic> topics{topic};
        auto created = co_await node.controller().create_topics(std::move(topics), false);
        answers.push_back(created[0].answer.error);
    };
    for (int i = 0; i < 40; ++i) scope.start(ask(node, answers, "t" + std::to_string(i % 20)));
    REQUIRE(node.world().run_until([&] { return scope.size() == 0; }));
    CHECK(std::count(answers.begin(), answers.end(), 0) == 20);
    CHECK(std::count(answers.begin(), answers.end(), 36) == 20);
    CHECK(node.image().topics.size() == 20);
    node.stop();
}

TEST_CASE("what was answered is there after a crash at any time") {
    Node node(7);
    node.start();
    struct Photograph {
        sim::Disk disk;
        std::set<std::string> answered;
    };
    std::vector<Photograph> photographs;
    std::set<std::string> answered;
    sim::Random random(7);
    node.machine().at_boundary = [&] {
        sim::CrashChoice choice;
        photographs.push_back({node.machine().photograph(choice, random), answered});
    };
    node.options.snapshot_bytes = 600;
    for (int i = 0; i < 8; ++i) {
        auto name = "t" + std::to_string(i);
        CHECK(node.create(name) == 0);
        answered.insert(name);
    }
    node.stop();
    REQUIRE(node.open());
    CHECK(node.create("last") == 0);
    answered.insert("last");
    node.stop();
    node.machine().at_boundary = nullptr;
    CHECK(photographs.size() > 30);
    log::set_level(log::Level::error);
    for (size_t i = 0; i < photographs.size(); ++i) {
        CAPTURE(i);
        Node after(8, photographs[i].disk);
        after.start();
        for (auto& name : photographs[i].answered) CHECK_MESSAGE(after.image().topic(name), name);
        CHECK(after.image().topics.size() <= photographs[i].answered.size() + 1);
        CHECK(after.create("after-" + std::to_string(i)) == 0);
        after.stop();
    }
    log::set_level(log::Level::info);
}

TEST_CASE("a start that a crash cuts short is done by the next") {
    for (bool first : {true, false}) {
        CAPTURE(first);
        Node node(20);
        if (!first) {
            node.start();
            CHECK(node.create("t") == 0);
            node.stop();
        }
        std::vector<sim::Disk> photographs;
        sim::Random random(20);
        node.machine().at_boundary = [&] { photographs.push_back(node.machine().photograph(sim::CrashChoice(), random)); };
        node.start();
        node.machine().at_boundary = nullptr;
        node.stop();
        CHECK(photographs.size() > 10);
        log::set_level(log::Level::error);
        for (size_t i = 0; i < photographs.size(); ++i) {
            CAPTURE(i);
            Node after(21, photographs[i]);
            after.start();
            CHECK(after.topics() == (first ? "" : "t:1 "));
            CHECK(after.image().features.level("metadata.version") == 30);
            CHECK(after.create("more") == 0);
            after.stop();
        }
        log::set_level(log::Level::info);
    }
}

TEST_CASE("a snapshot is written when enough was, and a start needs nothing older") {
    Node node(9);
    node.options.snapshot_bytes = 2000;
    node.start();
    for (int i = 0; i < 40; ++i) CHECK(node.create("t" + std::to_string(i)) == 0);
    node.stop();
    auto snapshots_of = [&] {
        std::vector<std::string> snapshots;
        for (auto& name : node.files()) {
            CHECK_FALSE(name.ends_with(".part"));
            if (snapshot_id_of(name)) snapshots.push_back(name);
        }
        return snapshots;
    };
    auto snapshots = snapshots_of();
    REQUIRE(snapshots.size() == 1);  // The older ones went, the formatter's too.
    CHECK(snapshot_id_of(snapshots[0])->end_offset > Offset{20});

    node.write(std::string(metadata_directory) + "/00000000000000000009-0000000001.checkpoint.part", as_bytes("half"));
    REQUIRE_MESSAGE(node.open(), node.problem);
    CHECK(node.image().topics.size() == 40);
    CHECK(node.image().broker(1) != nullptr);
    node.stop();
    snapshots = snapshots_of();
    REQUIRE(snapshots.size() == 1);

    auto file = node.world().run(io::read_file(node.io(), std::string(metadata_directory) + "/" + snapshots[0]));
    REQUIRE(file);
    file->at(file->size() / 2) ^= std::byte{1};
    node.write(std::string(metadata_directory) + "/" + snapshots[0], *file);
    CHECK_FALSE(node.open());
    CHECK(node.problem.find(snapshots[0] + ": its batch at byte ") != std::string::npos);
    node.stop_engine();
}

TEST_CASE("an epoch behind which there is none is refused with a sentence") {
    Node node(11);
    node.format();
    std::string state = R"({"leaderId":1,"leaderEpoch":2147483647,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})";
    node.write(std::string(metadata_directory) + "/quorum-state", as_bytes(state));
    CHECK_FALSE(node.open());
    CHECK(node.problem == "/data/__cluster_metadata-0: its epoch is the last one there can be");
    node.stop_engine();
}

TEST_CASE("a directory of Kafka's is opened, its features stay, its partitions are led again") {
    Node node(10);
    node.options.node_id = 1;
    node.options.directory_id = *uuid_of("IxJqCmbFR2GOBJgpnNL7gQ");
    node.options.cluster_id = "AAAAAAAAAAAAAAAAAAAAAQ";
    REQUIRE(node.world().run(io::make_directories(node.io(), metadata_directory)));
    node.write(std::string(metadata_directory) + "/00000000000000000000.log", golden("metadata.log"));
    node.write(std::string(metadata_directory) + "/quorum-state", golden("quorum-state"));
    REQUIRE_MESSAGE(node.open(), node.problem);
    CHECK(node.topics() == "alpha:3 ");
    auto& state = node.image().topic("alpha")->partitions[1];
    CHECK(state.leader == 1);
    CHECK(state.isr == std::vector<int32_t>{1});
    CHECK(state.eligible_leader_replicas.empty());
    CHECK(state.leader_epoch == 2);
    CHECK(node.image().features.level("share.version") == 1);
    CHECK(node.image().features.level("transaction.version") == 2);
    CHECK_FALSE(node.image().broker(1)->fenced);
    CHECK_FALSE(node.image().broker(1)->in_controlled_shutdown);
    CHECK(node.create("beta") == 0);
    node.stop();
    REQUIRE(node.open());
    CHECK(node.topics() == "alpha:3 beta:1 ");
    CHECK(node.image().acls.size() == 1);
    node.stop();

    node.options.directory_id = Uuid();
    CHECK_FALSE(node.open());
    CHECK(node.problem == "the metadata quorum has the voters 1 (IxJqCmbFR2GOBJgpnNL7gQ), and a node alone must be its only one: "
                          "node 1 (AAAAAAAAAAAAAAAAAAAAAA)");
    node.stop_engine();
}

TEST_CASE("a transaction that never ended is aborted") {
    Node node(11);
    node.start();
    node.stop();
    RecordList records;
    records.add(protocol::BeginTransactionRecord());
    protocol::TopicRecord topic;
    topic.name = "half";
    topic.topic_id.bytes[0] = std::byte{9};
    records.add(topic);
    auto path = std::string(metadata_directory) + "/00000000000000000000.log";
    auto file = node.world().run(io::read_file(node.io(), path));
    REQUIRE(file);
    int64_t end = 0;
    for (Bytes rest = *file; !rest.empty();) {
        auto batch = BatchView::trusted(BatchView::frame(rest)->bytes());
        end = batch.next_offset().value;
        rest = rest.subspan(batch.size());
    }
    auto batch = data_batches(records, {end}, 1, Timestamp{1});
    file->insert(file->end(), batch.begin(), batch.end());
    node.write(path, *file);
    REQUIRE(node.world().run(io::remove(node.io(), "/data/.kafka_cleanshutdown")));
    REQUIRE_MESSAGE(node.open(), node.problem);
    CHECK(node.topics() == "");
    CHECK(node.create("whole") == 0);
    node.stop();
    REQUIRE(node.open());
    CHECK(node.topics() == "whole:1 ");
    node.stop();
}

Task<> pause(Loop& loop) { co_await sleep_for(loop, std::chrono::seconds(2)); }

TEST_CASE("a change that finds no room is refused, and the next ones go on where it would have been") {
    Node node(13);
    node.start();
    CHECK(node.create("before") == 0);
    log::set_level(log::Level::off);
    node.machine().plan({Code::write, "00000000000000000000.log", 0, ENOSPC});
    CHECK(node.create("refused") == 56);
    node.world().run(pause(node.world().loop()));  // After which the log looks for room again.
    log::set_level(log::Level::info);
    CHECK(node.topics() == "before:1 ");
    CHECK(node.create("after") == 0);
    node.stop();
    REQUIRE(node.open());
    CHECK(node.topics() == "after:1 before:1 ");
    node.stop();
}

TEST_CASE("when the log cannot be written, nothing changes any more and everybody is told") {
    Node node(12);
    node.start();
    CHECK(node.create("before") == 0);
    node.machine().plan({Code::write, "00000000000000000000.log", 0, EIO});
    log::set_level(log::Level::off);
    CHECK(node.create("lost") == 56);
    CHECK(node.create("after") == 56);
    CHECK(node.topics() == "before:1 ");
    CHECK(node.world().run(node.controller().allocate_producer_ids()).count == 0);
    CHECK(node.world().run(node.controller().close()));
    node.stop_engine_anyhow();
    log::set_level(log::Level::info);
}
