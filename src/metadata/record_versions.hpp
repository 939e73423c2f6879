#pragma once

// Which versions of records a log may hold at its metadata.version (Kafka's MetadataVersion).

#include "metadata/image.hpp"

namespace rafka::metadata {

struct RecordVersions {
    int16_t level;
    int16_t register_broker;
    int16_t partition;
    int16_t partition_change;
    bool register_controller;
    bool transactions;
    bool scram;
    bool tokens;

    explicit RecordVersions(const Features& features) : RecordVersions(features.level("metadata.version")) {}
    explicit RecordVersions(int16_t level)
        : level(level),
          register_broker(level >= 30 ? 4 : level >= 17 ? 3 : level >= 8 ? 2 : 1),
          partition(level >= 23 ? 2 : level >= 17 ? 1 : 0),
          partition_change(partition),
          register_controller(level >= 15),
          transactions(level >= 13),
          scram(level >= 11),
          tokens(level >= 14) {}
};

}  // namespace rafka::metadata
