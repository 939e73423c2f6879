#include "io/socket.hpp"

#include "base/assert.hpp"

#include <climits>

namespace rafka::io {
namespace {

Operation on_descriptor(Code code, int descriptor) {
    ASSERT(descriptor >= 0);
    Operation operation(code);
    operation.file = descriptor;
    return operation;
}

}  // namespace

Socket::~Socket() {
    if (descriptor_ >= 0) io_->drop(descriptor_);
}

Operation Socket::of(Code code) const { return on_descriptor(code, descriptor_); }

Task<Result<Socket>> Socket::connect(Io& io, SocketAddress address, Cancel* cancel) {
    Operation operation(Code::connect);
    operation.address = &address;
    CO_TRY(auto descriptor, co_await Await(io, operation, cancel));
    co_return Socket(io, int(descriptor), address);
}

Await Socket::receive(MutableBytes into, Cancel* cancel) const {
    auto operation = of(Code::receive);
    operation.single = {into.data(), into.size()};
    operation.buffers = {&operation.single, 1};
    return Await(*io_, operation, cancel);
}

Task<Result<>> Socket::receive_exact(MutableBytes into, Cancel* cancel, size_t* received) const {
    size_t done = 0;
    while (done < into.size()) {
        auto operation = of(Code::receive);
        operation.flags = flag::all;
        auto rest = into.subspan(done);
        operation.single = {rest.data(), rest.size()};
        operation.buffers = {&operation.single, 1};
        auto count = co_await Await(*io_, operation, cancel);
        if (count && *count > 0) done += *count;
        if (received) *received = done;
        CO_CHECKED(count);
        if (*count == 0) co_return fail(Errc::closed);
    }
    co_return Result<>{};
}

Await Socket::send(std::span<const iovec> from, Cancel* cancel) const {
    auto operation = of(Code::send);
    operation.buffers = from;
    return Await(*io_, operation, cancel);
}

std::span<iovec> behind(std::span<iovec> pieces, size_t sent) {
    while (sent > 0) {
        auto& first = pieces.front();
        size_t part = sent < first.iov_len ? sent : first.iov_len;
        first.iov_base = static_cast<char*>(first.iov_base) + part;
        first.iov_len -= part;
        sent -= part;
        if (first.iov_len == 0) pieces = pieces.subspan(1);
    }
    return pieces;
}

Task<Result<>> Socket::send_all(std::span<iovec> from, Cancel* cancel) const {
    for (;;) {
        while (!from.empty() && from.front().iov_len == 0) from = from.subspan(1);
        if (from.empty()) co_return Result<>{};
        CO_TRY(size_t sent, co_await send(from, cancel));
        from = behind(from, sent);
    }
}

Task<Result<>> Socket::send_all(Bytes from, Cancel* cancel) const {
    iovec single{const_cast<std::byte*>(from.data()), from.size()};
    co_return co_await send_all(std::span<iovec>(&single, 1), cancel);
}

Await Socket::shutdown() const { return Await(*io_, of(Code::shutdown)); }

Task<Result<>> Socket::close() {
    auto operation = of(Code::close);
    descriptor_ = -1;
    auto done = co_await Await(*io_, operation);
    CO_CHECKED(done);
    co_return Result<>{};
}

Listener::~Listener() {
    if (descriptor_ >= 0) io_->drop(descriptor_);
}

Task<Result<Listener>> Listener::open(Io& io, SocketAddress address, uint32_t flags) {
    Operation operation(Code::listen);
    operation.address = &address;
    operation.flags = flags;
    CO_TRY(auto descriptor, co_await Await(io, operation));
    co_return Listener(io, int(descriptor), address);
}

Task<Result<Socket>> Listener::accept(Cancel* cancel) {
    SocketAddress peer;
    auto operation = on_descriptor(Code::accept, descriptor_);
    operation.address = &peer;
    CO_TRY(auto descriptor, co_await Await(*io_, operation, cancel));
    co_return Socket(*io_, int(descriptor), peer);
}

Task<Result<>> Listener::close() {
    auto operation = on_descriptor(Code::close, descriptor_);
    descriptor_ = -1;
    auto done = co_await Await(*io_, operation);
    CO_CHECKED(done);
    co_return Result<>{};
}

}  // namespace rafka::io
