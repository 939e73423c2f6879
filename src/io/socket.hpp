#pragma once

// Stream sockets over any Io.

#include <rafka/bytes.hpp>
#include <rafka/io.hpp>
#include <rafka/task.hpp>

#include <span>
#include <utility>

namespace rafka::io {

// Owns a connection. One send and one receive may be in flight at a time. Requires that nothing is in flight when it is
// closed or destroyed: shut it down and wait for both.
class Socket {
public:
    Socket() = default;
    Socket(Io& io, int descriptor, const SocketAddress& peer) : io_(&io), descriptor_(descriptor), peer_(peer) {}
    Socket(Socket&& from) noexcept : io_(from.io_), descriptor_(std::exchange(from.descriptor_, -1)), peer_(from.peer_) {}
    Socket& operator=(Socket&& from) noexcept {
        std::swap(io_, from.io_);
        std::swap(descriptor_, from.descriptor_);
        std::swap(peer_, from.peer_);
        return *this;
    }
    ~Socket();

    static Task<Result<Socket>> connect(Io& io, SocketAddress address, Cancel* cancel = nullptr);

    bool is_open() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }
    // Gives it away, as to another loop that makes its own Socket of it.
    int release() { return std::exchange(descriptor_, -1); }
    const SocketAddress& peer() const { return peer_; }
    Io& io() const { return *io_; }

    // What is there, at least a byte; 0: the peer is done.
    Await receive(MutableBytes into, Cancel* cancel = nullptr) const;
    // Until the buffer is full. Errc::closed: the peer was done before; `*received` says how far it came.
    Task<Result<>> receive_exact(MutableBytes into, Cancel* cancel = nullptr, size_t* received = nullptr) const;

    // One send; may be short.
    Await send(std::span<const iovec> from, Cancel* cancel = nullptr) const;
    // Until everything is with the kernel. The vectors are used up: they change as parts are sent.
    Task<Result<>> send_all(std::span<iovec> from, Cancel* cancel = nullptr) const;
    Task<Result<>> send_all(Bytes from, Cancel* cancel = nullptr) const;

    // Both directions; operations in flight end.
    Await shutdown() const;
    Task<Result<>> close();

private:
    Operation of(Code code) const;

    Io* io_ = nullptr;
    int descriptor_ = -1;
    SocketAddress peer_;
};

// What of `pieces` is behind the first `sent` bytes; the piece that these end in is cut.
std::span<iovec> behind(std::span<iovec> pieces, size_t sent);

// Owns a listening socket.
class Listener {
public:
    Listener() = default;
    Listener(Io& io, int descriptor, const SocketAddress& address) : io_(&io), descriptor_(descriptor), address_(address) {}
    Listener(Listener&& from) noexcept
        : io_(from.io_), descriptor_(std::exchange(from.descriptor_, -1)), address_(from.address_) {}
    Listener& operator=(Listener&& from) noexcept {
        std::swap(io_, from.io_);
        std::swap(descriptor_, from.descriptor_);
        std::swap(address_, from.address_);
        return *this;
    }
    ~Listener();

    // Port 0: the kernel chooses one; address() tells which. `flags`: flag::share_port.
    static Task<Result<Listener>> open(Io& io, SocketAddress address, uint32_t flags = 0);

    bool is_open() const { return descriptor_ >= 0; }
    const SocketAddress& address() const { return address_; }
    Task<Result<Socket>> accept(Cancel* cancel = nullptr);
    Task<Result<>> close();

private:
    Io* io_ = nullptr;
    int descriptor_ = -1;
    SocketAddress address_;
};

}  // namespace rafka::io
