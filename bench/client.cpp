#include "client.hpp"

#include "io/epoll.hpp"

#include <sys/prctl.h>

namespace rafka::bench {
namespace {

template <class MakeTask>
void run(MakeTask make) {
    prctl(PR_SET_TIMERSLACK, 1);  // Sleeps end when they should, not 50 us later.
    io::Epoll io;
    Loop loop(io, 0);
    Scope scope(loop);
    scope.start(make(loop));
    while (scope.size() > 0) loop.turn(never);
}

Task<> keep(Task<std::string> task, std::string& result) { result = co_await std::move(task); }

}  // namespace

LoadResult produce(const Load& load) {
    LoadResult result;
    run([&](Loop& loop) { return run_load(loop, load, result); });
    return result;
}

LoadResult consume(const Consume& consume) {
    LoadResult result;
    run([&](Loop& loop) { return run_consume(loop, consume, result); });
    return result;
}

std::string create(const SocketAddress& address, const std::string& topic, int32_t partitions, const TopicConfigs& configs) {
    std::string problem;
    run([&](Loop& loop) { return keep(create_topic(loop, address, topic, partitions, configs), problem); });
    return problem;
}

std::string remove(const SocketAddress& address, const std::string& topic) {
    std::string problem;
    run([&](Loop& loop) { return keep(delete_topic(loop, address, topic), problem); });
    return problem;
}

}  // namespace rafka::bench
