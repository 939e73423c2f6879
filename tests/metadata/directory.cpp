// Does to the metadata of a log directory what its arguments say, on real files, for trials beside Kafka's own programs:
//
//   metadata_directory DIRECTORY BROKER_PORT CONTROLLER_PORT [create TOPIC PARTITIONS] [delete TOPIC] [set TOPIC KEY VALUE]
//                      [snapshot] [show] ...
//
// Formats the directory if it is not. `snapshot` makes every change that follows it write one.

#include "base/log.hpp"
#include "io/epoll.hpp"
#include "metadata/controller.hpp"
#include "metadata/format.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using namespace rafka;
using namespace rafka::metadata;

namespace {

int fail_with(const std::string& sentence) {
    std::fprintf(stderr, "%s\n", sentence.c_str());
    return 1;
}

void show(const Image& image) {
    for (auto& [name, level] : image.features.levels) std::printf("feature %s %d\n", name.c_str(), level);
    for (auto& broker : image.brokers) std::printf("broker %d epoch=%lld %s\n", broker.id, static_cast<long long>(broker.epoch), broker.fenced ? "fenced" : "unfenced");
    for (auto& topic : image.topics) {
        std::printf("topic %s %s", topic.name.c_str(), to_text(topic.id).c_str());
        for (auto& state : topic.partitions) std::printf(" %d/%d", state.leader, state.leader_epoch);
        std::printf("\n");
    }
    for (auto& config : image.configs) {
        for (auto& [key, value] : config.values) std::printf("config %d '%s' %s=%s\n", int(config.type), config.name.c_str(), key.c_str(), value.c_str());
    }
}

int report(const Answer& answer) {
    if (answer.error == 0) return 0;
    return fail_with(fmt::format("{} {}", answer.error, answer.message));
}

}  // namespace

int main(int count, char** words) {
    std::vector<std::string> args(words + 1, words + count);
    if (args.size() < 3) return fail_with("usage: metadata_directory DIRECTORY BROKER_PORT CONTROLLER_PORT ...");
    io::Epoll io;
    Loop loop(io, 0);
    std::string problem;
    FormatOptions format;
    format.directory = args[0];
    format.controller_endpoints = {{"CONTROLLER", "localhost", uint16_t(std::stoi(args[2])), 0}};
    auto identity = block_on(loop, format_if_needed(io, format, &problem));
    if (!identity) return fail_with(problem);

    Loop* loops[] = {&loop};
    EngineOptions engine_options;
    engine_options.directory = args[0];
    auto engine = block_on(loop, Engine::open(loops, engine_options));
    if (!engine) return fail_with("the directory cannot be opened: " + std::string(to_text(engine.error())));
    ControllerOptions options;
    options.node_id = identity->node_id;
    options.cluster_id = identity->cluster_id;
    options.directory_id = identity->directory_id;
    options.broker_endpoints = {{"PLAINTEXT", "localhost", uint16_t(std::stoi(args[1])), 0}};
    options.controller_endpoints = format.controller_endpoints;
    options.features = supported_features();
    if (std::find(args.begin(), args.end(), "snapshot") != args.end()) options.snapshot_bytes = 1;
    auto controller = block_on(loop, Controller::open(**engine, options, &problem));
    if (!controller) return fail_with(problem);

    int failed = 0;
    for (size_t i = 3; i < args.size(); ++i) {
        if (args[i] == "create" && i + 2 < args.size()) {
            NewTopic topic;
            topic.name = args[i + 1];
            topic.partitions = std::stoi(args[i + 2]);
            failed |= report(block_on(loop, (*controller)->create_topics({topic}, false))[0].answer);
            i += 2;
        } else if (args[i] == "delete" && i + 1 < args.size()) {
            TopicDeletion deletion;
            deletion.name = args[i + 1];
            failed |= report(block_on(loop, (*controller)->delete_topics({deletion}))[0]);
            i += 1;
        } else if (args[i] == "set" && i + 3 < args.size()) {
            ConfigChanges change;
            change.type = ResourceType::topic;
            change.name = args[i + 1];
            change.changes = {{args[i + 2], ConfigOperation::set, args[i + 3]}};
            failed |= report(block_on(loop, (*controller)->alter_configs({change}, false))[0]);
            i += 3;
        } else if (args[i] == "show") {
            show(*(*controller)->image());
        } else if (args[i] != "snapshot") {
            return fail_with("what is " + args[i] + "?");
        }
    }
    auto epoch = (*controller)->broker_epoch();
    if (!block_on(loop, (*controller)->close())) return fail_with("the controller did not close");
    controller->reset();
    if (!block_on(loop, (*engine)->close(epoch))) return fail_with("the engine did not close");
    return failed;
}
