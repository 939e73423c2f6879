#pragma once

// Batches of idempotent and transactional producers, and the markers that end transactions.

#include "base/endian.hpp"

#include <rafka/record_batch.hpp>

#include <vector>

namespace rafka::tests {

using Batch = std::vector<std::byte>;

struct Send {
    int64_t id = 1;
    int16_t epoch = 0;
    int32_t sequence = 0;
    int32_t count = 1;
    int64_t time = 1000;
    bool transactional = false;
};

inline Batch data(Send send, Offset at = {0}) {
    BatchBuilder::Options options;
    options.producer_id = send.id;
    options.producer_epoch = send.epoch;
    options.base_sequence = send.sequence;
    options.transactional = send.transactional;
    options.base_offset = at;
    BatchBuilder builder(options);
    for (int32_t i = 0; i < send.count; ++i) builder.add({send.time}, {}, {});
    return builder.build();
}

inline Batch marker(int64_t id, int16_t epoch, bool commit, int32_t coordinator_epoch, Offset at = {0}, int64_t time = 1000) {
    BatchBuilder::Options options;
    options.producer_id = id;
    options.producer_epoch = epoch;
    options.transactional = options.control = true;
    options.base_offset = at;
    BatchBuilder builder(options);
    std::byte key[4]{}, value[6]{};
    key[3] = std::byte(commit);
    store_be(value + 2, coordinator_epoch);
    builder.add({time}, Bytes(key), Bytes(value));
    return builder.build();
}

}  // namespace rafka::tests
