#pragma once

// The broker that targets start in the simulator.

#include "broker/config.hpp"

namespace rafka::fuzz {

inline broker::Config broker_config() {
    broker::Config config;
    config.log_directory = "/data/log";
    metadata::Endpoint listener;
    listener.name = "PLAINTEXT";
    listener.host = "127.0.0.1";
    config.listeners = {listener};
    config.controller.name = "CONTROLLER";
    config.controller.host = "localhost";
    config.controller.port = 9093;
    config.chunk_memory_max = 1 << 20;
    return config;
}

}  // namespace rafka::fuzz
