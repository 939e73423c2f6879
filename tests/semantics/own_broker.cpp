#include "semantics/own_broker.hpp"

#include "broker/broker.hpp"
#include "io/backend.hpp"

#include <filesystem>
#include <stdexcept>
#include <unistd.h>

namespace rafka::semantics {

namespace {

broker::Config config_in(const std::string& directory) {
    broker::ConfigInputs inputs;
    inputs.default_directory = directory;
    inputs.settings = {{"test", "listeners", "PLAINTEXT://127.0.0.1:0"}, {"test", "rafka.storage.direct", "false"}};
    auto config = broker::read_config(inputs);
    if (!config) throw std::runtime_error(config.error().front());
    config->advertised = {{"PLAINTEXT", "localhost", 9092, 0}};
    return *config;
}

Task<> run(broker::Broker& broker, Loop& loop, std::promise<uint16_t>& port, std::atomic<bool>& stopping) {
    std::string problem;
    auto started = co_await broker.start(&problem);
    if (!started) {
        port.set_exception(std::make_exception_ptr(std::runtime_error(problem)));
        co_return;
    }
    port.set_value(broker.bound().front().port);
    while (!stopping) co_await sleep_for(loop, std::chrono::milliseconds(20));
    auto stopped = co_await broker.stop(std::chrono::seconds(1));
    (void)stopped;
}

}  // namespace

OwnBroker::OwnBroker(uint32_t loops) {
    auto pattern = (std::filesystem::temp_directory_path() / "rafka-semantics-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make " + pattern);
    directory_ = pattern;
    auto port = port_.get_future();
    thread_ = std::thread([this, loops] { serve(loops); });
    try {
        address_ = {"127.0.0.1", port.get()};
    } catch (...) {
        thread_.join();
        throw;
    }
}

OwnBroker::~OwnBroker() {
    stopping_ = true;
    thread_.join();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void OwnBroker::serve(uint32_t loops) {
    io::LoopThreads threads(loops, io::Backend::automatic);
    std::vector<Loop*> list;
    for (uint32_t i = 0; i < threads.count(); ++i) list.push_back(&threads[i]);
    broker::Broker broker(list, config_in(directory_), "localhost");
    block_on(*list.front(), run(broker, *list.front(), port_, stopping_));
}

}  // namespace rafka::semantics
