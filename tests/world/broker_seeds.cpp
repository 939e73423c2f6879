// Random stories of the whole broker in the simulator, each played twice with equal traces.
//
//   broker_seeds [--seed FIRST] [--seeds COUNT]

#include "world/broker_story.hpp"
#include "world/repeat.hpp"

using namespace rafka;

int main(int argc, char** argv) {
    return world::play(world::Seeds(argc, argv, 200), 200, world::play_broker_story);
}
