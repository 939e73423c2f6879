#include "floor.hpp"

#include "answers.hpp"
#include "base/endian.hpp"
#include "base/hash.hpp"
#include "io/epoll.hpp"
#include "io/socket.hpp"
#include "protocol/messages/fetch.hpp"

#include <rafka/loop.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace rafka::bench {
namespace {

using namespace protocol;

Task<> serve(io::Socket socket) {
    std::vector<std::byte> prefix(wire::frame_prefix_size), body;
    auto produced = produce_answer(), fetched = fetch_answer();
    for (;;) {
        auto got = co_await socket.receive_exact(prefix);
        if (!got) break;
        body.resize(size_t(load_be<int32_t>(prefix.data())));
        got = co_await socket.receive_exact(body);
        if (!got) break;
        bool is_fetch = load_be<int16_t>(body.data()) == FetchRequest::schema.key;
        if (!is_fetch) {
            volatile auto crc = crc32c(body);
            (void)crc;
        }
        auto& answer = is_fetch ? fetched : produced;
        std::copy_n(body.data() + 4, 4, answer.data() + answer_correlation_at);
        got = co_await socket.send_all(Bytes(answer));
        if (!got) break;
    }
    co_await socket.close();
}

Task<> accept(Loop& loop, Scope& scope, int listening) {
    SocketAddress any;
    io::Listener listener(loop.io(), listening, any);
    for (;;) {
        auto socket = co_await listener.accept();
        if (!socket) std::exit(1);
        scope.start(serve(std::move(*socket)));
    }
}

[[noreturn]] void serve_floor(int listening) {
    // One loop as the broker has, and nothing else.
    io::Epoll io;
    Loop loop(io, 0);
    Scope scope(loop);
    scope.start(accept(loop, scope, listening));
    loop.run();
    std::exit(0);
}

}  // namespace

Child start_floor(int core, int& port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 128) != 0) std::exit(1);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    pid_t pid = fork();
    if (pid == 0) {
        pin_to_core(getpid(), core);
        serve_floor(fd);
    }
    close(fd);
    return Child(pid);
}

}  // namespace rafka::bench
