#pragma once

// SocketAddress and the kernel's form of it, and what every stream socket of ours is told.

#include <rafka/io.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <string_view>

namespace rafka::io {

// "127.0.0.1", "::1", "[::1]"; also "localhost" (127.0.0.1) and "" (every address, IPv4 and IPv6).
Result<SocketAddress> parse_address(std::string_view host, uint16_t port);

socklen_t to_kernel(const SocketAddress& address, sockaddr_in6& out);
// An IPv4 address that came through an IPv6 socket becomes an IPv4 address again.
SocketAddress from_kernel(const sockaddr_in6& address);

// A stream socket for connecting. Descriptor or -errno.
int open_stream(const SocketAddress& address, int extra_flags);
// Code::listen: bound, listening, `*operation.address` holds the bound port. Descriptor or -errno.
int open_listener(const Operation& operation, int extra_flags);
// Small answers must not wait for the acknowledgement of earlier ones.
void set_no_delay(int file);

}  // namespace rafka::io
