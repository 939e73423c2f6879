// Random stories of the whole broker in the simulator, each played twice with equal traces.
//
//   broker_seeds [--seed FIRST] [--seeds COUNT]

#include "base/log.hpp"
#include "world/repeat.hpp"
#include "world/broker_story.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

using namespace rafka;

int main(int argc, char** argv) {
    uint64_t first = 1, count = 200;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view name = argv[i];
        auto value = std::strtoull(argv[i + 1], nullptr, 10);
        if (name == "--seed") first = value;
        else if (name == "--seeds") count = value;
        else return std::fprintf(stderr, "usage: broker_seeds [--seed FIRST] [--seeds COUNT]\n"), 2;
    }
    log::set_level(count == 1 ? log::Level::debug : log::Level::off);
    world::BrokerCoverage coverage, again;
    for (auto seed = first; seed < first + count; ++seed) {
        world::Repeat repeat(fmt::format("{} --seed {} --seeds 1", argv[0], seed));
        auto trace = world::play_broker_story(seed, coverage);
        auto second = world::play_broker_story(seed, again);
        world::require(trace == second, "seed {} has two stories", seed);
    }
    coverage.print();
    bool looked_everywhere = coverage.crashes && coverage.acknowledged && coverage.unknown && coverage.known_before_ack &&
                             coverage.fetches && coverage.long_polls;
    if (count >= 200 && !looked_everywhere) {
        std::fputs("some of the above never happened: the stories do not look where they should\n", stderr);
        return 1;
    }
    std::printf("%llu seeds from %llu on, each played twice: no violation\n", static_cast<unsigned long long>(count),
                static_cast<unsigned long long>(first));
}
