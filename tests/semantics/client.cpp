#include "semantics/client.hpp"

#include "base/assert.hpp"
#include "base/endian.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace rafka::semantics {

namespace {

using Clock = std::chrono::steady_clock;

int connect_to(const Address& address) {
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list) != 0) throw std::runtime_error("no such host: " + address.host);
    int socket = ::socket(list->ai_family, list->ai_socktype, list->ai_protocol);
    int result = ::connect(socket, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    if (result != 0) throw std::runtime_error("cannot connect to " + address.host + ":" + std::to_string(address.port));
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

int wait_ms(Clock::time_point deadline) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return left < 0 ? 0 : int(left);
}

}  // namespace

void Client::send(Bytes bytes) {
    if (socket_ < 0) socket_ = connect_to(address_);
    while (!bytes.empty()) {
        auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;  // receive() tells that it is closed.
        bytes = bytes.subspan(size_t(sent));
    }
}

bool Client::take(std::byte* to, size_t count, Clock::time_point deadline, Outcome& outcome) {
    while (count > 0) {
        pollfd ready{socket_, POLLIN, 0};
        int left = wait_ms(deadline);
        if (::poll(&ready, 1, left) <= 0) {
            if (left > 0) continue;
            outcome = Outcome::silence;
            return false;
        }
        auto got = ::recv(socket_, to, count, 0);
        if (got <= 0) {
            close();
            outcome = Outcome::closed;
            return false;
        }
        to += got;
        count -= size_t(got);
    }
    return true;
}

Client::Outcome Client::receive(std::vector<std::byte>& frame, std::chrono::milliseconds patience) {
    ASSERT(socket_ >= 0);
    auto deadline = Clock::now() + patience;
    auto outcome = Outcome::frame;
    std::byte prefix[4];
    if (!take(prefix, 4, deadline, outcome)) return outcome;
    frame.resize(size_t(load_be<int32_t>(prefix)));
    take(frame.data(), frame.size(), deadline, outcome);
    return outcome;
}

bool Client::is_closed(std::chrono::milliseconds patience) {
    if (socket_ < 0) return true;
    std::byte byte;
    auto outcome = Outcome::frame;
    return !take(&byte, 1, Clock::now() + patience, outcome) && outcome == Outcome::closed;
}

void Client::close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

}  // namespace rafka::semantics
