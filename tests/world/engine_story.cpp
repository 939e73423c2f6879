#include "world/engine_story.hpp"

#include "world/repeat.hpp"

#include <optional>

namespace rafka::world {
namespace {

EngineSetup random_setup(Random& random) {
    EngineSetup setup;
    setup.loop_count = random.chance(0.7) ? 1 : 3;
    setup.partition_count = random.between(1, 3);
    auto& log = setup.log;
    log.segment_bytes = uint32_t(random.chance(0.6) ? random.between(200, 4000) : random.between(4000, 100000));
    log.index_interval_bytes = uint32_t(random.chance(0.5) ? 1 : random.between(1, 4096));
    log.segment_index_bytes = uint32_t(random.chance(0.3) ? random.between(24, 400) : 10 << 20);
    log.max_message_bytes = 1 << 20;
    if (random.chance(0.3)) log.segment_ms = int64_t(random.between(1, 1000));
    auto& engine = setup.engine;
    engine.direct = random.chance(0.7);
    engine.checkpoint_interval_ms = int64_t(random.chance(0.5) ? random.between(5, 100) : 60000);
    engine.allocation_step_min = 4096u << random.below(5);
    engine.chunk_memory_max = uint64_t(random.chance(0.3) ? 256 << 10 : 64 << 20);
    auto& machine = setup.machine;
    machine.disk.sector_size = random.chance(0.5) ? 512 : 4096;
    static constexpr uint32_t alignments[] = {0, 512, 4096};
    machine.disk.direct_alignment = alignments[random.below(3)];
    machine.slow = random.chance(0.5) ? 0.02 : 0;
    machine.disk.allocates = !random.chance(0.15);
    return setup;
}

FaultRates random_faults(Random& random) {
    FaultRates faults;
    if (random.chance(0.4)) faults.write = 0.01;
    if (random.chance(0.4)) faults.sync = 0.02;
    if (random.chance(0.4)) faults.no_space = 0.03;
    if (random.chance(0.3)) faults.read = 0.01;
    return faults;
}

struct Crash {
    uint64_t at = 0;        // Counted in operations on files; 0: none.
    bool at_work = false;   // Counted from where the directory is open.
    CrashChoice choice;
    Random random{0};
    std::optional<Disk> disk;
    EngineModel model;
};

Task<bool> live(EngineLife& life, EngineModel& model, Random random, bool faults_from_start, const char*& phase) {
    FaultRates faults = life.machine.faults;
    if (!faults_from_start) life.machine.faults = FaultRates();
    life.machine.faults.short_transfer = faults.short_transfer;
    bool opened = co_await life.open();
    if (opened) opened = co_await life.judge(random.chance(0.5));
    life.machine.faults = faults;
    phase = "work";
    if (opened) {
        Scope scope(life.world.loop());
        for (size_t i = 0; i < model.producers.size(); ++i) {
            auto fresh = uint32_t(random.below(12)), window = uint32_t(random.between(1, 5));
            scope.start(life.produce(i, fresh, window, random.fork()));
        }
        for (size_t i = 0; i < model.logs.size(); ++i) {
            if (random.chance(0.5)) scope.start(life.consume(i, uint32_t(random.below(20)), random.fork()));
        }
        if (random.chance(0.4)) scope.start(life.checkpoint_sometimes(3, random.fork()));
        co_await scope.drained();
    }
    phase = "close";
    bool closed = co_await life.close();
    co_return opened && closed;
}

}  // namespace

uint64_t play_engine_story(uint64_t seed, Coverage& coverage) {
    Random random(seed);
    auto setup = random_setup(random);
    Archive archive;
    EngineModel model;
    model.logs.resize(setup.partition_count);
    for (size_t i = 0, count = random.between(1, 4); i < count; ++i) {
        ProducerModel producer;
        producer.partition = random.below(setup.partition_count);
        producer.id = random.chance(0.6) ? int64_t(1000 + i) : -1;
        model.producers.push_back(producer);
    }
    Disk disk(setup.machine.disk);
    uint64_t trace = 0;
    auto lives = random.between(2, 5);
    for (uint64_t n = 0; n < lives; ++n) {
        ++coverage.lives;
        bool last = n + 1 == lives;
        auto life_seed = random.next();
        Crash crash;
        crash.at = !last && random.chance(0.8) ? random.between(1, 150) : 0;
        crash.at_work = random.chance(0.7);
        crash.random = random.fork();
        crash.choice.garbage = random.chance(0.5);
        if (random.chance(0.3)) crash.choice = CrashChoice(Keep(random.below(3)), Keep(random.below(3)), Keep(random.below(3)));
        bool with_faults = !last && random.chance(0.3);
        bool squeezed = !last && random.chance(0.1);
        bool damages = random.chance(0.3);

        const char* phase = "open";
        uint64_t passed = 0;
        EngineLife life(life_seed, setup, disk, archive, model, coverage);
        if (with_faults) life.machine.faults = random_faults(random);
        life.machine.faults.short_transfer = random.chance(0.3) ? 0.2 : 0;
        life.squeezed = squeezed;
        if (squeezed) life.machine.disk().set_space(64 << 10);
        life.machine.at_boundary = [&] {
            bool counts = !crash.at_work || phase != std::string_view("open");
            if (!counts || ++passed != crash.at) return;
            crash.disk = life.machine.photograph(crash.choice, crash.random);
            crash.model = model;
            life.stopping = true;
            ++coverage.crashes;
            coverage.crashes_while_opening += phase == std::string_view("open");
            coverage.crashes_while_closing += phase == std::string_view("close");
        };
        if (squeezed) with_faults = true;
        bool clean = life.world.run(live(life, model, random.fork(), with_faults && random.chance(0.5), phase));
        require(clean || with_faults, "a life without faults did not end cleanly");
        coverage.clean_closes += clean;
        coverage.injected_faults += life.machine.injected_count();
        trace = Random(trace ^ life.machine.trace()).next();
        if (crash.disk) {
            disk = std::move(*crash.disk);
            model = std::move(crash.model);
        } else {
            // Power may fail after a clean close, too: it must find everything in its place.
            crash.choice.garbage = false;
            disk = life.machine.photograph(crash.choice, crash.random);
        }
        disk.set_space(setup.machine.disk.space_bytes);
        if (damages) damage_indexes(disk, crash.random, coverage);
    }
    // A last look: nothing is lost by ending well.
    EngineLife life(random.next(), setup, disk, archive, model, coverage);
    bool opened = life.world.run(life.open());
    bool judged = opened && life.world.run(life.judge(true));
    bool closed = life.world.run(life.close());
    require(opened && judged && closed, "the last life did not end well");
    return Random(trace ^ life.machine.trace()).next();
}

void Coverage::print() const {
    fmt::print("lives={} crashes={} (opening {}, closing {}) clean_closes={} acknowledged={} duplicates={} refused={} "
               "disk_full={} offline={} failed_opens={} judged_batches={} unacknowledged_survived={} indexes_damaged={} "
               "injected_faults={}\n",
               lives, crashes, crashes_while_opening, crashes_while_closing, clean_closes, acknowledged, duplicates, refused,
               disk_full, offline, failed_opens, judged_batches, unacknowledged_survived, indexes_damaged, injected_faults);
}

bool Coverage::looked_everywhere() const {
    return crashes_while_opening && crashes_while_closing && clean_closes && duplicates && refused && offline && disk_full &&
           failed_opens && unacknowledged_survived && indexes_damaged;
}

}  // namespace rafka::world
