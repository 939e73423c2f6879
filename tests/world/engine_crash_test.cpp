#include <doctest/doctest.h>

#include "base/log.hpp"
#include "world/engine_story.hpp"
#include "world/repeat.hpp"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

// Small stories, crashed at every point: before the effect of each operation on files, and for each several choices of
// what survives. From every image the engine must come up with what was acknowledged, take more, and close.

using namespace rafka;
using namespace rafka::world;

namespace {

struct Scene {
    Archive archive;
    EngineModel model;
    EngineSetup setup;
    Coverage coverage;

    Scene() {
        log::set_level(log::Level::off);
        model.logs.resize(1);
        setup.log.segment_bytes = 100000;
        setup.log.index_interval_bytes = 1;
        setup.machine.slow = 0;
    }
    BatchId batch(int32_t records, size_t size, int64_t producer = -1, int32_t sequence = -1) {
        BatchBuilder::Options options;
        options.producer_id = producer;
        options.producer_epoch = producer >= 0 ? 0 : -1;
        options.base_sequence = sequence;
        return archive.make(options, records, size, setup.machine.wall, false).id;
    }
};

// What comes back from an image, and whether it can go on.
Task<> come_back(EngineLife& life, Scene& scene, BatchId more) {
    require(co_await life.open(), "the engine does not open");
    require(co_await life.judge(true), "the engine does not answer");
    auto appended = co_await life.append(0, more);
    require(appended.has_value(), "the engine takes no more after a crash");
    for (auto id : scene.model.producers.empty() ? std::vector<BatchId>() : scene.model.producers[0].outstanding) {
        auto again = co_await life.append(0, id);
        // A snapshot keeps a producer's newest batch only, so that an older one that is stored is out of order, as in Kafka.
        bool stored = scene.model.logs[0].place_of(id).has_value();
        require(again || (stored && again.error() == Errc::out_of_order_sequence), "batch {} is refused when it is sent again", id);
    }
    require(co_await life.close(), "the engine does not close after a crash");
}

struct Image {
    Disk disk;
    EngineModel model;
};

void check_image(Scene& scene, const Image& image, uint64_t seed, bool crash_again) {
    auto model = scene.model;  // The running story's.
    auto more = scene.batch(2, 300);
    scene.model = image.model;
    std::optional<Image> second;
    {
        EngineLife life(seed, scene.setup, image.disk, scene.archive, scene.model, scene.coverage);
        Random random(seed);
        auto at = random.between(1, 40);
        if (crash_again) {
            life.machine.at_boundary = [&] {
                if (life.machine.boundary_count() != at) return;
                CrashChoice choice;
                choice.garbage = true;
                second = Image{life.machine.photograph(choice, random), scene.model};
            };
        }
        life.world.run(come_back(life, scene, more));
    }
    // Recovering is a story, too.
    if (second) check_image(scene, *second, seed + 1, false);
    scene.model = model;
}

template <class Play>
void at_every_point(const char* name, Scene& scene, Play play, int random_choices) {
    std::vector<CrashChoice> choices;
    for (auto data : {Keep::none, Keep::all}) {
        for (auto sizes : {Keep::none, Keep::all}) {
            for (auto directories : {Keep::none, Keep::all}) choices.emplace_back(data, sizes, directories);
        }
    }
    for (int i = 0; i < random_choices; ++i) {
        choices.emplace_back();
        choices.back().garbage = i % 2 == 0;
    }
    uint64_t points = 0, images = 0;
    EngineLife life(1, scene.setup, Disk(scene.setup.machine.disk), scene.archive, scene.model, scene.coverage);
    life.machine.at_boundary = [&] {
        ++points;
        Random random(points);
        for (size_t i = 0; i < choices.size(); ++i) {
            ++images;
            Repeat repeat(fmt::format("engine_crash_test, scene '{}', point {}, choice {}", name, points, i));
            Image image{life.machine.photograph(choices[i], random), scene.model};
            check_image(scene, image, points * 100 + i, i % 3 == 0);
        }
    };
    life.world.run(play(life));
    life.machine.at_boundary = nullptr;
    MESSAGE(std::string(name) << ": " << points << " points, " << images << " images");
    CHECK(points > 20);
}

// What a person reads of errors, since this was last empty.
std::string told;
void keep_line(log::Level level, std::string_view line) {
    if (level == log::Level::error) told.append(line).append("\n");
}

Task<> keep(Task<Result<Appended>> task) { (void)co_await std::move(task); }

// Appends in turn, then whatever the scene adds.
Task<> in_turn(EngineLife& life, std::vector<BatchId> batches, bool checkpoint) {
    require(co_await life.open(), "it does not open");
    for (auto id : batches) {
        auto appended = co_await life.append(0, id);
        require(appended.has_value(), "an append fails");
        if (checkpoint) {
            auto done = co_await life.engine().checkpoint();
            require(done.has_value(), "a checkpoint fails");
        }
    }
    require(co_await life.close(), "it does not close");
}

// All at once: they become one write, or one per segment.
Task<> at_once(EngineLife& life, std::vector<BatchId> batches) {
    require(co_await life.open(), "it does not open");
    Scope scope(life.world.loop());
    for (auto id : batches) scope.start(keep(life.append(0, id)));
    co_await scope.drained();
    require(co_await life.close(), "it does not close");
}

}  // namespace

TEST_CASE("every crash point of three appends in turn") {
    for (uint32_t sector : {512, 4096}) {
        Scene scene;
        scene.setup.machine.disk.sector_size = sector;
        std::vector<BatchId> batches{scene.batch(1, 100), scene.batch(3, 5000), scene.batch(2, 200)};
        at_every_point("in turn", scene, [&](EngineLife& life) { return in_turn(life, batches, false); }, 4);
    }
}

TEST_CASE("every crash point of three appends at once, of an idempotent producer that sends them again") {
    Scene scene;
    std::vector<BatchId> batches{scene.batch(1, 3000, 7, 0), scene.batch(3, 3000, 7, 1), scene.batch(2, 3000, 7, 4)};
    ProducerModel producer;
    producer.id = 7;
    producer.outstanding = batches;
    scene.model.producers.push_back(producer);
    at_every_point("at once", scene, [&](EngineLife& life) { return at_once(life, batches); }, 4);
}

TEST_CASE("every crash point of rolls, in turn and at once") {
    Scene scene;
    scene.setup.log.segment_bytes = 400;
    std::vector<BatchId> batches{scene.batch(1, 300), scene.batch(2, 300), scene.batch(2, 300)};
    at_every_point("rolls in turn", scene, [&](EngineLife& life) { return in_turn(life, batches, false); }, 3);

    Scene other;
    other.setup.log.segment_bytes = 400;
    std::vector<BatchId> three{other.batch(1, 300), other.batch(2, 300), other.batch(2, 300)};
    at_every_point("rolls at once", other, [&](EngineLife& life) { return at_once(life, three); }, 3);
}

TEST_CASE("every crash point of appends with checkpoints between them") {
    Scene scene;
    scene.setup.log.segment_bytes = 700;
    std::vector<BatchId> batches{scene.batch(1, 300), scene.batch(2, 300), scene.batch(2, 300)};
    at_every_point("checkpoints", scene, [&](EngineLife& life) { return in_turn(life, batches, true); }, 2);
}

TEST_CASE("every crash point where files are written through the cache and synced") {
    Scene scene;
    scene.setup.machine.disk.direct_alignment = 0;
    scene.setup.log.segment_bytes = 700;
    std::vector<BatchId> batches{scene.batch(1, 300), scene.batch(3, 600), scene.batch(2, 200)};
    at_every_point("buffered", scene, [&](EngineLife& life) { return at_once(life, batches); }, 4);
}

TEST_CASE("a failed write or sync takes the partition offline until a restart, and nothing is acknowledged") {
    for (auto code : {Code::write, Code::truncate}) {
        Scene scene;
        told.clear();
        log::set_level(log::Level::error);
        log::set_sink(keep_line);
        scene.setup.log.segment_bytes = 400;
        std::vector<BatchId> batches;
        for (int i = 0; i < 4; ++i) batches.push_back(scene.batch(1, 250));
        EngineLife life(3, scene.setup, Disk(scene.setup.machine.disk), scene.archive, scene.model, scene.coverage);
        auto play = [&]() -> Task<> {
            require(co_await life.open(), "it does not open");
            auto first = co_await life.append(0, batches[0]);
            CHECK(first.has_value());
            life.machine.plan({code, ".log", 0, EIO});
            auto second = co_await life.append(0, batches[1]);
            auto third = co_await life.append(0, batches[2]);
            REQUIRE(!second.has_value());
            CHECK(second.error() == Errc::storage_offline);
            REQUIRE(!third.has_value());
            CHECK(third.error() == Errc::storage_offline);
            CHECK(life.partition(0).offline());
            CHECK(!life.machine.plans_left());
            bool closed = co_await life.close();
            CHECK(!closed);
        };
        life.world.run(play());
        log::set_sink(nullptr);
        auto what = std::string(code == Code::write ? "write" : "truncation");
        CHECK(told == "partition offline until a restart: " + what + " failed: directory=/data/log/topic-0 offset=1 error=input/output error\n");
        Random random(1);
        Image image{life.machine.photograph(CrashChoice(), random), scene.model};
        check_image(scene, image, 5, false);
    }
}

TEST_CASE("a full disk refuses appends until there is room, and reads go on") {
    // Found by an allocation, or by a write where the file system does not allocate.
    for (bool allocates : {true, false}) {
        for (bool direct : {true, false}) {
            CAPTURE(allocates);
            CAPTURE(direct);
            Scene scene;
            scene.setup.machine.disk.allocates = allocates;
            if (!direct) scene.setup.machine.disk.direct_alignment = 0;
            BatchId stored[]{scene.batch(1, 300), scene.batch(3, 300)}, refused = scene.batch(2, 9000), small = scene.batch(1, 5000);
            EngineLife life(3, scene.setup, Disk(scene.setup.machine.disk), scene.archive, scene.model, scene.coverage);
            life.squeezed = true;
            auto play = [&]() -> Task<> {
                require(co_await life.open(), "it does not open");
                auto first = co_await life.append(0, stored[0]);
                CHECK(first.has_value());
                auto& disk = life.machine.disk();
                auto room = disk.options().space_bytes;
                disk.set_space(room - disk.space().usable_bytes + 4096);
                auto second = co_await life.append(0, refused);
                auto third = co_await life.append(0, small);
                for (auto* append : {&second, &third}) {
                    REQUIRE(!append->has_value());
                    CHECK(append->error() == Errc::disk_full);
                }
                CHECK(!life.partition(0).offline());
                bool judged = co_await life.judge(true);  // Waits until the log is as its files are.
                CHECK(judged);
                CHECK(life.partition(0).log_end_offset() == Offset{1});
                disk.set_space(room);
                co_await sleep_for(life.world.loop(), std::chrono::seconds(2));
                auto fourth = co_await life.append(0, stored[1]);
                REQUIRE(fourth.has_value());
                CHECK(fourth->base_offset == Offset{1});
                bool closed = co_await life.close();
                CHECK(closed);
            };
            life.world.run(play());
            Random random(1);
            Image image{life.machine.photograph(CrashChoice(Keep::none, Keep::none, Keep::none), random), scene.model};
            check_image(scene, image, 5, false);
        }
    }
}

TEST_CASE("a reload that lacks descriptors or room for a file of its own waits for them") {
    for (auto shortage : {PlannedFault{Code::list_directory, "", 0, EMFILE}, PlannedFault{Code::open, "leader-epoch-checkpoint.tmp", 0, ENOSPC}}) {
        Scene scene;
        std::vector<BatchId> batches{scene.batch(1, 300), scene.batch(1, 300, 7, 0), scene.batch(2, 300)};
        EngineLife life(3, scene.setup, Disk(scene.setup.machine.disk), scene.archive, scene.model, scene.coverage);
        auto play = [&]() -> Task<> {
            require(co_await life.open(), "it does not open");
            auto first = co_await life.append(0, batches[0]);
            CHECK(first.has_value());
            // Of this epoch the file does not know yet.
            life.machine.plan({Code::open, "leader-epoch-checkpoint.tmp", 0, ENOSPC});
            auto leads = co_await life.partition(0).become_leader(9);
            CHECK(!leads.has_value());
            auto second = co_await life.append(0, batches[1]);
            CHECK(second.has_value());
            life.machine.plan({Code::write, ".log", 0, ENOSPC});
            life.machine.plan(shortage);
            auto third = co_await life.append(0, batches[2]);
            REQUIRE(!third.has_value());
            CHECK(third.error() == Errc::disk_full);
            co_await sleep_for(life.world.loop(), std::chrono::seconds(3));
            CHECK(!life.partition(0).offline());
            third = co_await life.append(0, batches[2]);
            CHECK(third.has_value());
            CHECK(life.partition(0).leader_epoch() == 9);
            bool closed = co_await life.close();
            CHECK(closed);
        };
        life.world.run(play());
        CHECK(!life.machine.plans_left());
    }
}

TEST_CASE("a disk that lies about writes or syncs is found out") {
    for (bool writes : {true, false}) {
        auto child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            std::signal(SIGABRT, SIG_DFL);
            (void)!std::freopen("/dev/null", "w", stderr);
            Scene scene;
            (writes ? scene.setup.machine.durable_writes_lie : scene.setup.machine.syncs_lie) = true;
            std::vector<BatchId> batches{scene.batch(1, 100), scene.batch(2, 200)};
            at_every_point("a lie", scene, [&](EngineLife& life) { return in_turn(life, batches, false); }, 0);
            _exit(0);
        }
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status));
    }
}
