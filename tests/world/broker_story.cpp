#include "world/broker_story.hpp"

#include "world/repeat.hpp"

#include <optional>

namespace rafka::world {
namespace {

Task<bool> live(BrokerLife& life, sim::FaultRates faults, double resets, sim::Random random, bool& working) {
    bool up = co_await life.start();
    working = true;
    life.machine.faults = faults;
    life.machine.network().options.reset = resets;
    if (up) co_await life.work(random);
    bool stopped = co_await life.stop();
    co_return up && stopped;
}

}  // namespace

uint64_t play_broker_story(uint64_t seed, BrokerCoverage& coverage) {
    sim::Random random(seed);
    sim::MachineOptions options;
    options.disk.space_bytes = 1 << 30;
    options.disk.sector_size = random.chance(0.5) ? 512 : 4096;
    options.disk.direct_alignment = random.chance(0.7) ? 4096 : 0;
    options.network.buffer_bytes = random.chance(0.5) ? random.between(100, 5000) : 64 << 10;
    Archive archive;
    BrokerModel model;
    model.logs.resize(random.between(1, 3));
    for (size_t i = 0, count = random.between(1, 4); i < count; ++i) {
        ProducerModel producer;
        producer.partition = random.below(model.logs.size());
        model.producers.push_back(producer);
    }
    uint32_t loop_count = random.chance(0.5) ? 1 : 3;
    sim::Disk disk(options.disk);
    uint64_t trace = 0;
    auto lives = random.between(2, 4);
    for (uint64_t n = 0; n < lives; ++n) {
        ++coverage.lives;
        bool last = n + 1 == lives;
        auto crash_at = !last && random.chance(0.8) ? random.between(1, 250) : 0;
        bool crash_at_work = random.chance(0.6);
        auto crash_random = random.fork();
        sim::CrashChoice choice;
        choice.garbage = random.chance(0.5);
        sim::FaultRates faults;
        if (!last && random.chance(0.2)) faults.write = 0.01;
        faults.short_transfer = random.chance(0.3) ? 0.2 : 0;
        double resets = random.chance(0.3) ? 0.02 : 0;

        std::optional<sim::Disk> image;
        BrokerModel at_crash;
        uint64_t passed = 0;
        bool working = false;
        BrokerLife life(random.next(), loop_count, options, disk, archive, model, coverage);
        life.machine.at_boundary = [&] {
            if ((crash_at_work && !working) || ++passed != crash_at) return;
            image = life.machine.photograph(choice, crash_random);
            at_crash = model;
            life.stopping = true;
            ++coverage.crashes;
        };
        bool clean = life.world.run(live(life, faults, resets, random.fork(), working));
        require(clean || faults.write > 0, "a life without faults did not end cleanly");
        trace = sim::Random(trace ^ life.machine.trace()).next();
        if (image) model = std::move(at_crash);
        disk = image ? std::move(*image) : life.machine.photograph(sim::CrashChoice(), crash_random);
        // Who reads at the next start, reads without bad luck.
    }
    bool working = false;
    BrokerLife life(random.next(), loop_count, options, disk, archive, model, coverage);
    life.stopping = true;
    bool clean = life.world.run(live(life, sim::FaultRates(), 0, random.fork(), working));
    require(clean, "the last life did not end well");
    return sim::Random(trace ^ life.machine.trace()).next();
}

void BrokerCoverage::print() const {
    fmt::print("lives={} crashes={} acknowledged={} unknown={} known_before_ack={} fetches={} long_polls={} offline={} "
               "failed_starts={} judged_batches={}\n",
               lives, crashes, acknowledged, unknown, known_before_ack, fetches, long_polls, offline, failed_starts, judged_batches);
}

bool BrokerCoverage::looked_everywhere() const {
    return crashes && acknowledged && unknown && known_before_ack && fetches && long_polls;
}

}  // namespace rafka::world
