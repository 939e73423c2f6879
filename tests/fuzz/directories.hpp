#pragma once

// Log directories to be damaged: each written by the engine or by a whole broker in the simulator, always the same.

#include "fuzz/wounds.hpp"
#include "sim/world.hpp"

#include <rafka/engine.hpp>

#include <string>
#include <vector>

namespace rafka::fuzz {

struct Directory {
    Tree tree;
    bool of_broker = false;
    // Everything is read again at the start: nothing says that it is whole.
    bool all_unsure = false;
};

inline constexpr std::string_view log_directory = "/data/log";
inline constexpr std::string_view log_path = "/data/log/events-0/";

const std::vector<Directory>& directories();

sim::MachineOptions machine_options();
EngineOptions engine_options();
LogOptions log_options();
PartitionKey partition_key();

// The disk with those files, all durable.
sim::Disk disk_of(const Tree& tree);
Tree tree_of(const sim::Disk& disk);

}  // namespace rafka::fuzz
