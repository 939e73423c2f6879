#pragma once

// Producer ids for whoever asks, from blocks that the controller gives. On the home loop.

#include "metadata/controller_client.hpp"

#include <rafka/loop.hpp>

#include <cstdint>

namespace rafka::broker {

class ProducerIds {
public:
    ProducerIds(Loop& home, metadata::ControllerClient& controller) : controller_(controller), arrived_(home) {}

    // -1: the controller gave none.
    Task<int64_t> next() {
        while (left_ == 0) {
            if (asking_) {
                co_await arrived_.wait();
                if (refused_) co_return -1;
                continue;
            }
            asking_ = true;
            auto block = co_await controller_.allocate_producer_ids();
            asking_ = false;
            refused_ = block.count <= 0;
            arrived_.notify_all();
            if (refused_) co_return -1;
            next_ = block.first;
            left_ = block.count;
        }
        --left_;
        co_return next_++;
    }

private:
    metadata::ControllerClient& controller_;
    Event arrived_;
    int64_t next_ = 0;
    int32_t left_ = 0;
    bool asking_ = false;
    bool refused_ = false;
};

}  // namespace rafka::broker
