#pragma once

// A rafka broker in this process, on threads of its own and a directory that goes with it.

#include "semantics/client.hpp"

#include <atomic>
#include <cstdint>
#include <future>
#include <string>
#include <thread>

namespace rafka::semantics {

class OwnBroker {
public:
    explicit OwnBroker(uint32_t loops);
    ~OwnBroker();
    OwnBroker(const OwnBroker&) = delete;
    OwnBroker& operator=(const OwnBroker&) = delete;

    const Address& address() const { return address_; }

private:
    void serve(uint32_t loops);

    std::string directory_;
    Address address_;
    std::promise<uint16_t> port_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace rafka::semantics
