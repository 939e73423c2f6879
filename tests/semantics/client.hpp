#pragma once

// One connection to a broker, blocking, for scripts: a frame is sent, a frame is awaited.

#include <rafka/bytes.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rafka::semantics {

struct Address {
    std::string host;
    uint16_t port = 0;
};

class Client {
public:
    explicit Client(Address address) : address_(std::move(address)) {}
    ~Client() { close(); }
    Client(Client&& from) noexcept : address_(std::move(from.address_)), socket_(std::exchange(from.socket_, -1)) {}
    Client(const Client&) = delete;

    enum class Outcome : uint8_t { frame, closed, silence };

    // Connects when it must. Bytes as they are, so a frame brings its length.
    void send(Bytes bytes);
    // The next frame without its length. `closed`: the server closed the connection; the next send() opens a new one.
    Outcome receive(std::vector<std::byte>& frame, std::chrono::milliseconds patience);
    void close();
    // Whether the server has closed it, waiting at most that long.
    bool is_closed(std::chrono::milliseconds patience);

private:
    bool take(std::byte* to, size_t count, std::chrono::steady_clock::time_point deadline, Outcome& outcome);

    Address address_;
    int socket_ = -1;
};

}  // namespace rafka::semantics
