// Makes a number of requests of one kind to a broker in this process, for a counter of instructions around it.
//
//   request_cost SCENARIO COUNT

#include "cost/rig.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {
using namespace rafka::cost;

struct Named {
    std::string_view name;
    Scenario run;
};
constexpr Named scenarios[] = {
    {"produce", produce},
    {"produce_many", produce_many},
    {"fetch", fetch},
    {"fetch_waits", fetch_waits},
    {"fetch_session", fetch_session},
    {"fetch_idle", fetch_idle},
};
}  // namespace

int main(int argc, char** argv) {
    if (argc == 3) {
        for (auto& scenario : scenarios) {
            if (scenario.name != argv[1]) continue;
            Rig rig;
            scenario.run(rig, std::atoi(argv[2]));
            return 0;
        }
    }
    std::fprintf(stderr, "usage: request_cost SCENARIO COUNT\nscenarios:");
    for (auto& scenario : scenarios) std::fprintf(stderr, " %s", scenario.name.data());
    std::fprintf(stderr, "\n");
    return 2;
}
