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
        Random random(1);
        Image image{life.machine.photograph(CrashChoice(), random), scene.model};
        check_image(scene, image, 5, false);
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
