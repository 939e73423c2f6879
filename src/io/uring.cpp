#include "io/uring.hpp"

#include "base/assert.hpp"
#include "io/address.hpp"
#include "io/blocking.hpp"
#include "io/in_flight.hpp"

#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>

namespace rafka::io {
namespace {

// Of kernels that are newer than the oldest liburing we build with; asked for at run time.
constexpr int op_ftruncate = 55;  // IORING_OP_FTRUNCATE, Linux 6.9.

// user_data: the operation's address, with a mark when it is a poll on its behalf; or one of these.
constexpr uint64_t nobody = 0;
constexpr uint64_t poll_mark = 1;
constexpr uint64_t waker = 2;

// Where an operation is: Operation::scratch[0].
enum class Stage : uint64_t { elsewhere = 0, in_flight, polling };
// Set beside the stage.
constexpr uint64_t canceled = 1 << 8;
constexpr uint64_t as_directory = 1 << 9;

Stage stage_of(const Operation& operation) { return Stage(operation.scratch[0] & 0xff); }
void set_stage(Operation& operation, Stage stage) {
    operation.scratch[0] = (operation.scratch[0] & ~uint64_t(0xff)) | uint64_t(stage);
}

// The other seven words are what the kernel is given a pointer to.
msghdr& message_of(Operation& operation) {
    static_assert(sizeof(msghdr) <= 7 * sizeof(uint64_t));
    return *new (&operation.scratch[1]) msghdr{};
}
struct Peer {
    sockaddr_in6 address;
    socklen_t size;
    int file;  // Connect: the descriptor that is being connected.
};
static_assert(sizeof(Peer) <= 7 * sizeof(uint64_t));
Peer& peer_of(Operation& operation) { return *std::launder(reinterpret_cast<Peer*>(&operation.scratch[1])); }

bool of_socket(const Operation& operation) { return operation.code >= Code::listen; }
bool has_buffers(const Operation& operation) {
    return operation.code == Code::read || operation.code == Code::write || operation.code == Code::receive ||
           operation.code == Code::send;
}

}  // namespace

std::unique_ptr<Uring> Uring::open(int& error, uint32_t entries) {
    auto ring = std::make_unique<io_uring>();
    io_uring_params params{};
    // COOP_TASKRUN is implied by DEFER_TASKRUN where both exist. A completion must never be lost to a burst: the
    // completion ring is large, and the kernel keeps what does not fit.
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
                   IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
    params.cq_entries = entries * 8;
    int result = io_uring_queue_init_params(entries, ring.get(), &params);
    if (result < 0) {
        error = -result;
        return nullptr;
    }
    auto uring = std::unique_ptr<Uring>(new Uring(std::move(ring)));
    // A filter may let the ring be made and forbid its use: one round trip tells.
    auto& nop = uring->entry();
    io_uring_prep_nop(&nop);
    nop.user_data = nobody;
    result = io_uring_submit_and_wait(uring->ring_.get(), 1);
    if (result < 0) {
        error = -result;
        return nullptr;
    }
    uring->reap();
    uring->arm_wake();
    return uring;
}

Uring::Uring(std::unique_ptr<io_uring> ring) : ring_(std::move(ring)) {
    wake_ = eventfd(0, EFD_CLOEXEC);
    ASSERT(wake_ >= 0);
    io_uring_register_ring_fd(ring_.get());  // Saves a look-up per call; where it fails nothing is lost.
    // What must block does so on hidden threads. A few are enough, and a storm of them would be worse than a queue.
    unsigned workers[2] = {4, 4};
    io_uring_register_iowq_max_workers(ring_.get(), workers);
    if (auto* probe = io_uring_get_probe_ring(ring_.get())) {
        has_truncate_ = io_uring_opcode_supported(probe, op_ftruncate) != 0;
        io_uring_free_probe(probe);
    }
}

Uring::~Uring() {
    if (wake_armed_) {
        // The kernel must not write into this object once it is gone.
        closing_ = true;
        auto& end = entry();
        io_uring_prep_cancel64(&end, waker, 0);
        end.user_data = nobody;
        uint64_t enters_max = 100;
        while (wake_armed_ && enters_max-- > 0) {
            if (io_uring_submit_and_wait(ring_.get(), 1) < 0) break;
            reap();
        }
    }
    io_uring_queue_exit(ring_.get());
    ::close(wake_);
}

io_uring_sqe& Uring::entry() {
    for (;;) {
        if (auto* entry = io_uring_get_sqe(ring_.get())) {
            ++counters_.submitted;
            return *entry;
        }
        // Full: hand over what is there. In order, so that a cancel never overtakes what it cancels.
        ++counters_.queue_was_full;
        ++counters_.enters;
        int result = io_uring_submit(ring_.get());
        if (result >= 0) continue;
        ASSERT(result == -EBUSY || result == -EAGAIN || result == -EINTR);
        // The kernel wants its completions to be taken first. They come back from the next poll().
        io_uring_get_events(ring_.get());
        reap();
    }
}

void Uring::arm_wake() {
    auto& read = entry();
    io_uring_prep_read(&read, wake_, &wake_value_, sizeof wake_value_, 0);
    read.user_data = waker;
    wake_armed_ = true;
}

void Uring::submit(Operation& operation) {
    operation.scratch[0] = 0;
    switch (operation.code) {
        // Never worth a hidden thread, or unknown to io_uring.
        case Code::list_directory: case Code::status: case Code::space: case Code::lock:
            return finish(operation, perform(operation));
        case Code::truncate:
            if (!has_truncate_) return finish(operation, perform(operation));
            break;
        case Code::listen: return finish(operation, open_listener(operation, 0));
        case Code::shutdown: return finish(operation, ::shutdown(operation.file, SHUT_RDWR) < 0 ? -errno : 0);
        case Code::connect: {
            auto& peer = *new (&operation.scratch[1]) Peer{};
            peer.size = to_kernel(*operation.address, peer.address);
            peer.file = open_stream(*operation.address, 0);
            if (peer.file < 0) return finish(operation, peer.file);
            break;
        }
        default: break;
    }
    if (has_buffers(operation)) lend_buffers(operation);
    prepare(operation);
}

void Uring::prepare(Operation& operation) {
    auto& sqe = entry();
    int file = operation.file;
    switch (operation.code) {
        case Code::open: io_uring_prep_openat(&sqe, AT_FDCWD, operation.path, open_flags(operation.flags), open_mode); break;
        case Code::close: io_uring_prep_close(&sqe, file); break;
        case Code::read: case Code::write: case Code::receive: case Code::send: prepare_buffers(operation, sqe); break;
        case Code::sync:
            io_uring_prep_fsync(&sqe, file, operation.flags & flag::data_only ? IORING_FSYNC_DATASYNC : 0);
            break;
        case Code::allocate:
            io_uring_prep_fallocate(&sqe, file, 0, off_t(operation.position), off_t(operation.length));
            break;
        case Code::truncate: io_uring_prep_rw(op_ftruncate, &sqe, file, nullptr, 0, operation.length); break;
        case Code::rename:
            io_uring_prep_renameat(&sqe, AT_FDCWD, operation.path, AT_FDCWD, operation.other_path, 0);
            break;
        case Code::remove:
            io_uring_prep_unlinkat(&sqe, AT_FDCWD, operation.path, operation.scratch[0] & as_directory ? AT_REMOVEDIR : 0);
            break;
        case Code::make_directory: io_uring_prep_mkdirat(&sqe, AT_FDCWD, operation.path, directory_mode); break;
        case Code::accept: {
            auto& peer = *new (&operation.scratch[1]) Peer{};
            peer.size = sizeof peer.address;
            io_uring_prep_accept(&sqe, file, reinterpret_cast<sockaddr*>(&peer.address), &peer.size, SOCK_CLOEXEC);
            break;
        }
        case Code::connect: {
            auto& peer = peer_of(operation);
            io_uring_prep_connect(&sqe, peer.file, reinterpret_cast<sockaddr*>(&peer.address), peer.size);
            break;
        }
        case Code::list_directory: case Code::status: case Code::space: case Code::lock: case Code::listen:
        case Code::shutdown: UNREACHABLE();
    }
    sqe.user_data = reinterpret_cast<uint64_t>(&operation);
    set_stage(operation, Stage::in_flight);
}

void Uring::prepare_buffers(Operation& operation, io_uring_sqe& sqe) {
    auto buffers = operation.buffers.first(std::min<size_t>(operation.buffers.size(), IOV_MAX));
    int file = operation.file;
    if (of_socket(operation)) {
        bool receives = operation.code == Code::receive;
        int flags = receives ? (operation.flags & flag::all ? MSG_WAITALL : 0) : MSG_NOSIGNAL;
        if (buffers.size() == 1) {
            auto [base, size] = buffers.front();
            if (receives) io_uring_prep_recv(&sqe, file, base, size, flags);
            else io_uring_prep_send(&sqe, file, base, size, flags);
            return;
        }
        auto& message = message_of(operation);
        message.msg_iov = const_cast<iovec*>(buffers.data());
        message.msg_iovlen = buffers.size();
        if (receives) io_uring_prep_recvmsg(&sqe, file, &message, unsigned(flags));
        else io_uring_prep_sendmsg(&sqe, file, &message, unsigned(flags));
        return;
    }
    // One buffer needs no vector for the kernel to copy. Its size is 32 bits wide there.
    if (buffers.size() == 1 && buffers.front().iov_len <= INT_MAX) {
        auto [base, size] = buffers.front();
        if (operation.code == Code::read) io_uring_prep_read(&sqe, file, base, unsigned(size), operation.position);
        else io_uring_prep_write(&sqe, file, base, unsigned(size), operation.position);
    } else if (operation.code == Code::read) {
        io_uring_prep_readv(&sqe, file, buffers.data(), unsigned(buffers.size()), operation.position);
    } else {
        io_uring_prep_writev(&sqe, file, buffers.data(), unsigned(buffers.size()), operation.position);
    }
    if (operation.code == Code::write) sqe.rw_flags = write_flags(operation.flags);
}

void Uring::cancel(Operation& operation) {
    auto stage = stage_of(operation);
    if (stage == Stage::elsewhere || operation.scratch[0] & canceled) return;
    operation.scratch[0] |= canceled;
    auto& sqe = entry();
    // Making room may have brought it back; its successor at the same address must not be hit.
    if (stage_of(operation) == Stage::elsewhere) {
        io_uring_prep_nop(&sqe);
    } else {
        auto mark = stage_of(operation) == Stage::polling ? poll_mark : 0;
        io_uring_prep_cancel64(&sqe, reinterpret_cast<uint64_t>(&operation) | mark, 0);
    }
    sqe.user_data = nobody;
}

Operation* Uring::poll(Instant until) {
    auto* ring = ring_.get();
    if (!done_.empty()) until = Instant{};
    int result = 0;
    if (until == Instant{}) {
        // Looking again and again, without anything to tell the kernel, must not cost a call each time.
        unsigned flags = __atomic_load_n(ring->sq.kflags, __ATOMIC_RELAXED);
        if (io_uring_sq_ready(ring) > 0 || flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) {
            ++counters_.enters;
            result = io_uring_submit_and_get_events(ring);
        }
    } else {
        io_uring_cqe* first = nullptr;
        __kernel_timespec time{};
        if (until != never) {
            auto left = std::max(until - now(), Duration{}).count();
            time.tv_sec = left / 1'000'000'000;
            time.tv_nsec = left % 1'000'000'000;
        }
        ++counters_.enters;
        result = io_uring_submit_and_wait_timeout(ring, &first, 1, until == never ? nullptr : &time, nullptr);
    }
    ASSERT(result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN || result == -EBUSY);
    if (__atomic_load_n(ring->sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) ++counters_.overflowed;
    reap();
    return done_.take();
}

void Uring::reap() {
    unsigned head;
    unsigned count = 0;
    io_uring_cqe* cqe;
    bool rearm_wake = false;
    Chain again;
    io_uring_for_each_cqe(ring_.get(), head, cqe) {
        ++count;
        uint64_t who = cqe->user_data;
        if (who == nobody) continue;
        if (who == waker) {
            wake_armed_ = false;
            rearm_wake = !closing_;
            continue;
        }
        auto& operation = *reinterpret_cast<Operation*>(who & ~poll_mark);
        operation.result = cqe->res;
        if (who & poll_mark) set_stage(operation, Stage::polling);
        again.push(operation);
    }
    io_uring_cq_advance(ring_.get(), count);
    // Only now may new entries be made: that may reap again.
    if (rearm_wake) arm_wake();
    while (!again.empty()) {
        auto& operation = *again.pop();
        if (stage_of(operation) == Stage::polling) on_poll_ready(operation, operation.result);
        else on_complete(operation, operation.result);
    }
}

// The socket is ready, or so it seems: once more.
void Uring::on_poll_ready(Operation& operation, int32_t result) {
    if (result < 0 || operation.scratch[0] & canceled) {
        if (has_buffers(operation)) return_buffers(operation);
        return finish(operation, operation.scratch[0] & canceled ? -ECANCELED : result);
    }
    prepare(operation);
}

void Uring::on_complete(Operation& operation, int32_t result) {
    bool transfers = operation.code == Code::receive || operation.code == Code::send || operation.code == Code::accept;
    // Not the peer's fault and not final: the kernel is short of memory, or gave up waiting on a hidden thread.
    if (transfers && (result == -EAGAIN || result == -ENOMEM || result == -ENOBUFS)) {
        ++counters_.retried;
        if (operation.scratch[0] & canceled) {
            result = -ECANCELED;
        } else {
            auto& sqe = entry();
            io_uring_prep_poll_add(&sqe, operation.file, operation.code == Code::send ? POLLOUT : POLLIN);
            sqe.user_data = reinterpret_cast<uint64_t>(&operation) | poll_mark;
            return set_stage(operation, Stage::polling);
        }
    }
    if (operation.code == Code::remove && (result == -EISDIR || result == -EPERM) && !(operation.scratch[0] & as_directory)) {
        operation.scratch[0] |= as_directory;
        return prepare(operation);
    }
    if (result == -EINTR && !(operation.scratch[0] & canceled) && operation.code != Code::close &&
        operation.code != Code::connect) {
        return prepare(operation);
    }
    if (has_buffers(operation)) return_buffers(operation);
    if (operation.code == Code::connect) {
        int file = peer_of(operation).file;
        if (result < 0) ::close(file);
        else result = file;
    }
    if (operation.code == Code::accept && result >= 0) {
        set_no_delay(result);
        if (operation.address) *operation.address = from_kernel(peer_of(operation).address);
    }
    finish(operation, result);
}

void Uring::finish(Operation& operation, int32_t result) {
    set_stage(operation, Stage::elsewhere);
    operation.result = result;
    done_.push(operation);
}

void Uring::wake() {
    uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
}

void Uring::drop(int file) { ::close(file); }

}  // namespace rafka::io
