#pragma once

// The clients as programs use them: on a loop of their own, over epoll (so that client and floor need no io_uring), until
// they are done.

#include "consume_client.hpp"
#include "load_client.hpp"
#include "requests.hpp"

namespace rafka::bench {

LoadResult produce(const Load& load);
LoadResult consume(const Consume& consume);
// What was wrong; empty: nothing.
std::string create(const SocketAddress& address, const std::string& topic, int32_t partitions, const TopicConfigs& configs = {});
std::string remove(const SocketAddress& address, const std::string& topic);

}  // namespace rafka::bench
