#include "io/address.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace rafka {

std::string SocketAddress::to_text() const {
    char text[INET6_ADDRSTRLEN] = {};
    inet_ntop(is_v6 ? AF_INET6 : AF_INET, ip.data(), text, sizeof text);
    std::string out(is_v6 ? "[" : "");
    out.append(text).append(is_v6 ? "]:" : ":").append(std::to_string(port));
    return out;
}

namespace io {

Result<SocketAddress> parse_address(std::string_view host, uint16_t port) {
    SocketAddress address;
    address.port = port;
    if (host.empty()) {
        address.is_v6 = true;
        // A kernel without IPv6 has only the others.
        int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (probe < 0) address.is_v6 = false;
        else ::close(probe);
        return address;
    }
    if (host == "localhost") host = "127.0.0.1";
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    std::string text(host);
    if (inet_pton(AF_INET, text.c_str(), address.ip.data()) == 1) return address;
    address.is_v6 = true;
    if (inet_pton(AF_INET6, text.c_str(), address.ip.data()) == 1) return address;
    return fail(Errc::invalid_argument);
}

socklen_t to_kernel(const SocketAddress& address, sockaddr_in6& out) {
    std::memset(&out, 0, sizeof out);
    if (address.is_v6) {
        out.sin6_family = AF_INET6;
        out.sin6_port = htons(address.port);
        std::memcpy(&out.sin6_addr, address.ip.data(), 16);
        return sizeof(sockaddr_in6);
    }
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, address.ip.data(), 4);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof(sockaddr_in);
}

SocketAddress from_kernel(const sockaddr_in6& address) {
    SocketAddress out;
    if (address.sin6_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, &address, sizeof v4);
        out.port = ntohs(v4.sin_port);
        std::memcpy(out.ip.data(), &v4.sin_addr, 4);
        return out;
    }
    out.port = ntohs(address.sin6_port);
    auto* bytes = reinterpret_cast<const uint8_t*>(&address.sin6_addr);
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
        std::memcpy(out.ip.data(), bytes + 12, 4);
        return out;
    }
    out.is_v6 = true;
    std::memcpy(out.ip.data(), bytes, 16);
    return out;
}

void set_no_delay(int file) {
    int one = 1;
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

int open_stream(const SocketAddress& address, int extra_flags) {
    int file = socket(address.is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | extra_flags, 0);
    if (file < 0) return -errno;
    set_no_delay(file);
    return file;
}

int open_listener(const Operation& operation, int extra_flags) {
    auto& address = *operation.address;
    int file = open_stream(address, extra_flags);
    if (file < 0) return file;
    auto give_up = [file] {
        int error = errno;
        ::close(file);
        return -error;
    };
    int one = 1, zero = 0;
    if (setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0) return give_up();
    if (operation.flags & flag::share_port && setsockopt(file, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) < 0) {
        return give_up();
    }
    // "Every address" means IPv4 too, as it does to Java.
    if (address.is_v6) setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    sockaddr_in6 kernel;
    socklen_t size = to_kernel(address, kernel);
    if (bind(file, reinterpret_cast<sockaddr*>(&kernel), size) < 0) return give_up();
    if (::listen(file, 4096) < 0) return give_up();
    size = sizeof kernel;
    if (getsockname(file, reinterpret_cast<sockaddr*>(&kernel), &size) < 0) return give_up();
    address.port = ntohs(kernel.sin6_port);  // At the same place in both families.
    return file;
}

}  // namespace io
}  // namespace rafka
