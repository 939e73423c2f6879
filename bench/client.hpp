#pragma once

// The clients as programs use them: on a loop of their own, over epoll (so that client and floor need no io_uring), until
// they are done.

#include "consume_client.hpp"
#include "load_client.hpp"
#include "requests.hpp"

namespace rafka::bench {

struct ClientOptions {
    // Looks for answers without sleeping: then the time that its own core takes to wake is in no latency.
    bool spin = false;
};

LoadResult produce(const Load& load, ClientOptions options);
LoadResult consume(const Consume& consume, ClientOptions options);
// What was wrong; empty: nothing.
std::string create(const SocketAddress& address, const std::string& topic, int32_t partitions, const TopicConfigs& configs = {});
std::string remove(const SocketAddress& address, const std::string& topic);

}  // namespace rafka::bench
