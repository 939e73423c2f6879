// Random stories of the engine in the simulator, each played twice with equal traces.
//
//   engine_seeds [--seed FIRST] [--seeds COUNT]

#include "world/engine_story.hpp"
#include "world/repeat.hpp"

using namespace rafka;

int main(int argc, char** argv) {
    return world::play(world::Seeds(argc, argv, 1000), 500, world::play_engine_story);
}
