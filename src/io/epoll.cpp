#include "io/epoll.hpp"

#include "base/assert.hpp"
#include "io/address.hpp"
#include "io/blocking.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace rafka::io {
namespace {

// Where an operation is: Operation::scratch[0]. The other words belong to the attempt.
enum class Stage : uint64_t { elsewhere = 0, waiting, queued, running };

Stage stage_of(const Operation& operation) { return Stage(operation.scratch[0]); }
void set_stage(Operation& operation, Stage stage) { operation.scratch[0] = uint64_t(stage); }
// Receive: bytes so far. Connect: the descriptor, plus one.
uint64_t& progress(Operation& operation) { return operation.scratch[1]; }

constexpr uint32_t watched_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

bool of_socket(const Operation& operation) { return operation.code >= Code::listen; }
bool is_reader(const Operation& operation) { return operation.code == Code::accept || operation.code == Code::receive; }

}  // namespace

Epoll::Epoll(uint32_t worker_count) : worker_count_(worker_count) {
    ASSERT(worker_count > 0);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT(epoll_ >= 0 && wake_ >= 0);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.fd = wake_;
    ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0);
}

Epoll::~Epoll() {
    {
        std::lock_guard guard(mutex_);
        stopping_ = true;
    }
    work_arrived_.notify_all();
    for (auto& worker : workers_) worker.join();
    ::close(epoll_);
    ::close(wake_);
}

void Epoll::submit(Operation& operation) {
    set_stage(operation, Stage::elsewhere);
    progress(operation) = 0;
    begin(operation);
}

void Epoll::begin(Operation& operation) {
    switch (operation.code) {
        case Code::listen: return finish(operation, open_listener(operation, SOCK_NONBLOCK));
        case Code::shutdown:
            return finish(operation, ::shutdown(operation.file, SHUT_RDWR) < 0 ? -errno : 0);
        case Code::connect:
            if (!try_connect(operation)) {
                int file = int(progress(operation)) - 1;
                auto& socket = socket_of(file);
                watch(file, socket);
                socket.writable = false;
                set_stage(operation, Stage::waiting);
                socket.writers.push(operation);
            }
            return;
        case Code::accept: case Code::receive: case Code::send: {
            auto& socket = socket_of(operation.file);
            watch(operation.file, socket);
            auto& waiting = is_reader(operation) ? socket.readers : socket.writers;
            if (waiting.empty() && attempt(operation, socket)) return;
            set_stage(operation, Stage::waiting);
            waiting.push(operation);
            return;
        }
        case Code::close:
            if (size_t(operation.file) < sockets_.size() && sockets_[size_t(operation.file)].watched) {
                forget(operation.file);
                return finish(operation, ::close(operation.file) < 0 ? -errno : 0);
            }
            return give_to_workers(operation);
        default: return give_to_workers(operation);
    }
}

// True: it is done. False: the socket is not ready for it.
bool Epoll::attempt(Operation& operation, Socket& socket) {
    switch (operation.code) {
        case Code::accept: return socket.readable && try_accept(operation);
        case Code::receive: return socket.readable && try_receive(operation, socket);
        case Code::send: return socket.writable && try_send(operation, socket);
        case Code::connect: return socket.writable && try_connect(operation);
        default: UNREACHABLE();
    }
}

bool Epoll::try_connect(Operation& operation) {
    auto& kept = progress(operation);
    if (kept == 0) {
        int file = open_stream(*operation.address, SOCK_NONBLOCK);
        if (file < 0) return finish(operation, file), true;
        kept = uint64_t(file) + 1;
        sockaddr_in6 kernel;
        socklen_t size = to_kernel(*operation.address, kernel);
        if (::connect(file, reinterpret_cast<sockaddr*>(&kernel), size) == 0) return finish(operation, file), true;
        if (errno == EINPROGRESS) return false;
        int error = errno;
        ::close(file);
        return finish(operation, -error), true;
    }
    int file = int(kept) - 1;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        forget(file);
        ::close(file);
        return finish(operation, -error), true;
    }
    return finish(operation, file), true;
}

bool Epoll::try_accept(Operation& operation) {
    sockaddr_in6 peer{};
    socklen_t size = sizeof peer;
    int file;
    do {
        file = accept4(operation.file, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (file < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (file < 0 && errno == EAGAIN) {
        socket_of(operation.file).readable = false;
        return false;
    }
    if (file >= 0) {
        set_no_delay(file);
        if (operation.address) *operation.address = from_kernel(peer);
    }
    return finish(operation, file < 0 ? -errno : file), true;
}

bool Epoll::try_receive(Operation& operation, Socket& socket) {
    auto& received = progress(operation);
    for (;;) {
        // What is left of the buffers.
        iovec left[64];
        size_t count = 0, size = 0, skip = received;
        for (auto& buffer : operation.buffers) {
            if (count == std::size(left)) break;
            size_t skipped = std::min(skip, buffer.iov_len);
            skip -= skipped;
            if (skipped == buffer.iov_len) continue;
            left[count++] = {static_cast<char*>(buffer.iov_base) + skipped, buffer.iov_len - skipped};
            size += buffer.iov_len - skipped;
        }
        if (size == 0) return finish(operation, int32_t(received)), true;
        msghdr message{};
        message.msg_iov = left;
        message.msg_iovlen = count;
        auto got = recvmsg(operation.file, &message, MSG_DONTWAIT);
        if (got < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN || errno == ENOMEM) {
                if (errno == ENOMEM) ask_again(operation.file);
                socket.readable = false;
                return false;
            }
            return finish(operation, received > 0 ? int32_t(received) : -errno), true;
        }
        received += uint64_t(got);
        // Less than asked for means that the socket is empty, unless its end is near; more will raise an edge.
        if (size_t(got) < size && !socket.hung_up) socket.readable = false;
        if (got == 0 || !(operation.flags & flag::all)) return finish(operation, int32_t(received)), true;
        if (!socket.readable) {
            if (size_t(got) == size) continue;
            return false;
        }
    }
}

bool Epoll::try_send(Operation& operation, Socket& socket) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(operation.buffers.data());
    message.msg_iovlen = std::min<size_t>(operation.buffers.size(), IOV_MAX);
    ssize_t sent;
    do {
        sent = sendmsg(operation.file, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS)) {
        if (errno != EAGAIN) ask_again(operation.file);
        socket.writable = false;
        return false;
    }
    return finish(operation, sent < 0 ? -errno : int32_t(sent)), true;
}

Epoll::Socket& Epoll::socket_of(int file) {
    ASSERT(file >= 0);
    if (size_t(file) >= sockets_.size()) sockets_.resize(size_t(file) + 64);
    return sockets_[size_t(file)];
}

void Epoll::watch(int file, Socket& socket) {
    if (socket.watched) return;
    socket.watched = true;
    epoll_event event{};
    event.events = watched_events;
    event.data.fd = file;
    // A descriptor that epoll does not take fails in its own call, with a better error.
    epoll_ctl(epoll_, EPOLL_CTL_ADD, file, &event);
}

// Closing takes a descriptor out of epoll; only what is known here must go.
void Epoll::forget(int file) {
    auto& socket = sockets_[size_t(file)];
    while (!socket.readers.empty()) finish(*socket.readers.pop(), -EBADF);
    while (!socket.writers.empty()) finish(*socket.writers.pop(), -EBADF);
    socket = Socket{};
}

void Epoll::drop(int file) {
    if (size_t(file) < sockets_.size() && sockets_[size_t(file)].watched) forget(file);
    ::close(file);
}

void Epoll::advance(Chain& waiting, Socket& socket) {
    while (!waiting.empty()) {
        // Out of the list first: when it is done it joins another one.
        auto* operation = waiting.pop();
        set_stage(*operation, Stage::elsewhere);
        if (attempt(*operation, socket)) continue;
        set_stage(*operation, Stage::waiting);
        return waiting.push_front(*operation);
    }
}

// The kernel was short of memory. Nothing will happen to the socket, so ask again whether it is ready.
void Epoll::ask_again(int file) {
    epoll_event event{};
    event.events = watched_events;
    event.data.fd = file;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, file, &event);
}

void Epoll::on_ready(int file, uint32_t events) {
    if (size_t(file) >= sockets_.size() || !sockets_[size_t(file)].watched) return;
    auto& socket = sockets_[size_t(file)];
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) socket.hung_up = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) socket.readable = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) socket.writable = true;
    advance(socket.readers, socket);
    advance(sockets_[size_t(file)].writers, sockets_[size_t(file)]);
}

void Epoll::finish(Operation& operation, int32_t result) {
    set_stage(operation, Stage::elsewhere);
    operation.result = result;
    done_.push(operation);
}

void Epoll::cancel(Operation& operation) {
    if (!of_socket(operation)) {
        bool removed = false;
        {
            std::lock_guard guard(mutex_);
            removed = stage_of(operation) == Stage::queued && queued_.remove(operation);
        }
        if (removed) finish(operation, -ECANCELED);
        return;
    }
    if (stage_of(operation) != Stage::waiting) return;
    bool connecting = operation.code == Code::connect;
    int file = connecting ? int(progress(operation)) - 1 : operation.file;
    auto& socket = socket_of(file);
    ASSERT((is_reader(operation) ? socket.readers : socket.writers).remove(operation));
    if (connecting) drop(file);
    // What already arrived would be lost.
    bool partial = operation.code == Code::receive && progress(operation) > 0;
    finish(operation, partial ? int32_t(progress(operation)) : -ECANCELED);
}

int Epoll::wait(Instant until) {
    constexpr int events_max = 256;
    epoll_event events[events_max];
    int count = -1;
    Duration time{};
    if (until != Instant{} && done_.empty()) {
        time = until == never ? Duration(-1) : std::max(until - now(), Duration{});
    }
    if (precise_) {
        timespec limit{time.count() / 1'000'000'000, time.count() % 1'000'000'000};
        count = epoll_pwait2(epoll_, events, events_max, time < Duration{} ? nullptr : &limit, nullptr);
        if (count < 0 && (errno == ENOSYS || errno == EPERM)) precise_ = false;
    }
    if (!precise_) {
        constexpr Duration longest = std::chrono::hours(24);
        int ms = time < Duration{} ? -1 : int((std::min(time, longest) + Duration(999'999)) / std::chrono::milliseconds(1));
        count = epoll_wait(epoll_, events, events_max, ms);
    }
    for (int i = 0; i < count; ++i) {
        if (events[i].data.fd == wake_) {
            uint64_t ignored;
            (void)!::read(wake_, &ignored, sizeof ignored);
        } else {
            on_ready(events[i].data.fd, events[i].events);
        }
    }
    return count;
}

Operation* Epoll::poll(Instant until) {
    collect();
    wait(until);
    collect();
    return done_.take();
}

void Epoll::wake() {
    uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
}

void Epoll::give_to_workers(Operation& operation) {
    set_stage(operation, Stage::queued);
    {
        std::lock_guard guard(mutex_);
        queued_.push(operation);
    }
    // Started when first needed: who has no files has no threads.
    if (workers_.size() < worker_count_) workers_.emplace_back([this] { work(); });
    work_arrived_.notify_one();
}

void Epoll::work() {
    std::unique_lock guard(mutex_);
    for (;;) {
        work_arrived_.wait(guard, [this] { return stopping_ || !queued_.empty(); });
        if (stopping_) return;
        auto* operation = queued_.pop();
        set_stage(*operation, Stage::running);
        guard.unlock();
        auto result = perform(*operation);
        guard.lock();
        operation->result = result;
        set_stage(*operation, Stage::elsewhere);
        worked_.push(*operation);
        if (!has_worked_.exchange(true, std::memory_order_release)) wake();
    }
}

void Epoll::collect() {
    if (!has_worked_.load(std::memory_order_acquire)) return;
    std::lock_guard guard(mutex_);
    has_worked_.store(false, std::memory_order_relaxed);
    done_.append(worked_);
}

}  // namespace rafka::io
