// Random stories of the engine in the simulator, each played twice with equal traces.
//
//   engine_seeds [--seed FIRST] [--seeds COUNT]

#include "base/log.hpp"
#include "world/engine_story.hpp"
#include "world/repeat.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

using namespace rafka;

int main(int argc, char** argv) {
    uint64_t first = 1, count = 1000;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view name = argv[i];
        auto value = std::strtoull(argv[i + 1], nullptr, 10);
        if (name == "--seed") first = value;
        else if (name == "--seeds") count = value;
        else return std::fprintf(stderr, "usage: engine_seeds [--seed FIRST] [--seeds COUNT]\n"), 2;
    }
    log::set_level(count == 1 ? log::Level::debug : log::Level::off);
    world::Coverage coverage, again;
    for (auto seed = first; seed < first + count; ++seed) {
        world::Repeat repeat(fmt::format("{} --seed {} --seeds 1", argv[0], seed));
        auto trace = world::play_engine_story(seed, coverage);
        auto second = world::play_engine_story(seed, again);
        world::require(trace == second, "seed {} has two stories", seed);
    }
    coverage.print();
    bool looked_everywhere = coverage.crashes_while_opening && coverage.crashes_while_closing && coverage.clean_closes &&
                             coverage.duplicates && coverage.refused && coverage.offline && coverage.disk_full &&
                             coverage.failed_opens && coverage.unacknowledged_survived && coverage.indexes_damaged;
    if (count >= 500 && !looked_everywhere) {
        std::fputs("some of the above never happened: the stories do not look where they should\n", stderr);
        return 1;
    }
    std::printf("%llu seeds from %llu on, each played twice: no violation\n", static_cast<unsigned long long>(count),
                static_cast<unsigned long long>(first));
}
