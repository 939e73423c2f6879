#pragma once

// The seam between rafka and the machine: what is asked for is data. An Operation lives in the frame of the coroutine
// that awaits it; an Io takes it and completes it from some later poll(). Uring (io/uring.hpp) answers from io_uring,
// Epoll (io/epoll.hpp) from epoll and a few threads, Sim (tests/sim) from a seed. Nothing else in src/ does I/O, reads a
// clock or draws a random number.

#include <rafka/result.hpp>
#include <rafka/types.hpp>

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rafka {

using Duration = std::chrono::nanoseconds;

// A point on the monotonic clock. Its zero is arbitrary.
struct Instant {
    Duration since_start{};

    friend auto operator<=>(Instant, Instant) = default;
    friend Instant operator+(Instant a, Duration d) { return {a.since_start + d}; }
    friend Duration operator-(Instant a, Instant b) { return a.since_start - b.since_start; }
};
inline constexpr Instant never{Duration::max()};

// An IP address and a port. IPv4 is in the first four bytes.
struct SocketAddress {
    std::array<uint8_t, 16> ip{};
    bool is_v6 = false;
    uint16_t port = 0;

    std::string to_text() const;  // "127.0.0.1:9092", "[::1]:9092"
};

struct FileStatus {
    uint64_t size = 0;
    uint64_t allocated_bytes = 0;
    Timestamp modified;
    bool is_directory = false;
    // What a direct read or write must be aligned to, in memory and in the file; 0: no direct I/O here.
    uint32_t direct_memory_alignment = 0;
    uint32_t direct_offset_alignment = 0;
};

struct DirectoryEntry {
    std::string name;
    bool is_directory = false;
};

struct FileSystemSpace {
    uint64_t total_bytes = 0;
    uint64_t usable_bytes = 0;  // By an unprivileged process.
};

enum class Code : uint8_t {
    // Of files. `path` is NUL-terminated and, like every pointer here, outlives the completion.
    open,            // path, flags (Open) -> descriptor
    close,           // file
    read,            // file, buffers, position -> bytes, 0 at the end; may be short
    write,           // file, buffers, position, flags (Write) -> bytes; may be short
    sync,            // file, flags (Sync); of a directory's descriptor: its entries
    allocate,        // file, position, length: blocks with size (fallocate mode 0)
    truncate,        // file, length
    rename,          // path, other_path: replaces
    remove,          // path: a file, or an empty directory
    make_directory,  // path
    list_directory,  // path, out (std::vector<DirectoryEntry>*)
    status,          // path or file, out (FileStatus*)
    space,           // path, out (FileSystemSpace*)
    lock,            // file: exclusive fcntl record lock on the whole file, as Java's FileChannel takes it; Errc::locked
    // Of sockets (stream, TCP_NODELAY set by accept and connect).
    listen,          // address (in: where; out: the bound port), flags (Listen) -> descriptor
    accept,          // file, address (out: the peer) -> descriptor
    connect,         // address -> descriptor
    receive,         // file, buffers -> bytes, 0 when the peer is done; may be short. flags (Receive)
    send,            // file, buffers -> bytes; may be short
    shutdown,        // file: both directions; wakes a receive in flight
};

namespace flag {
// Open
inline constexpr uint32_t read_only = 1, write = 2, create = 4, direct = 8, directory = 16, truncate = 32, exclusive = 64;
// Write: the bytes are on stable storage when it completes (RWF_DSYNC).
inline constexpr uint32_t durable = 1;
// Write: fails rather than wait for anything but the device (RWF_NOWAIT): a question, not a way to write.
inline constexpr uint32_t no_wait = 2;
// Sync: data and what is needed to read it back, not times (fdatasync).
inline constexpr uint32_t data_only = 1;
// Receive: complete only when the buffers are full, or the peer is done (MSG_WAITALL).
inline constexpr uint32_t all = 1;
// Listen: several loops of this process listen on the same port, and the kernel spreads connections over them.
inline constexpr uint32_t share_port = 1;
}  // namespace flag

// One request to the outside world, as data.
struct Operation {
    Code code{};
    int file = -1;
    uint32_t flags = 0;
    std::span<const iovec> buffers{};
    uint64_t position = 0;
    uint64_t length = 0;
    const char* path = nullptr;
    const char* other_path = nullptr;
    SocketAddress* address = nullptr;
    void* out = nullptr;

    int32_t result = 0;  // Bytes or a descriptor, or -errno.
    std::coroutine_handle<> waiter{};

    // For the Io that holds it, and for Cancel.
    Operation* next = nullptr;
    Operation* cancel_next = nullptr;
    Operation* cancel_previous = nullptr;
    iovec single{};       // Room for one buffer, where `buffers` need not outlive the call.
    uint64_t scratch[8]{};  // The Io's own.

    Operation() = default;
    explicit Operation(Code code) : code(code) {}
};

// Everything the broker may ask of the machine. One Io per loop, used on that loop's thread only, but for wake().
class Io {
public:
    virtual ~Io() = default;

    // Takes the operation; it comes back from some later poll(), never from inside submit().
    virtual void submit(Operation& operation) = 0;
    // Asks for an early end. The operation still comes back exactly once, with -ECANCELED or with its result; until
    // then its buffers belong to the machine.
    virtual void cancel(Operation& operation) = 0;
    // Hands over what was submitted, and returns what is complete as a list through Operation::next, oldest first.
    // Waits for the first completion or a wake(), but not beyond `until`; Instant{} does not wait.
    virtual Operation* poll(Instant until) = 0;
    // From any thread: ends a poll() that waits, now or next.
    virtual void wake() = 0;
    // For destructors: gives a descriptor back at once, without an answer. Requires that nothing is in flight on it.
    virtual void drop(int file) = 0;

    virtual Instant now() const = 0;
    virtual Timestamp wall() const = 0;
    virtual uint64_t random() = 0;
};

// A set of operations in flight that can be asked to end. Once fired, operations given to it end at once.
class Cancel {
public:
    explicit Cancel(Io& io) : io_(io) {}
    Cancel(const Cancel&) = delete;
    Cancel& operator=(const Cancel&) = delete;

    void fire();  // In src/io/operations.cpp.
    bool fired() const { return fired_; }

private:
    friend class Await;
    Io& io_;
    Operation* first_ = nullptr;
    bool fired_ = false;
};

Errc errc_of(int error_number);  // In src/io/errc.cpp.

// Awaits one operation. The value is its result; a negative one becomes an Errc.
class [[nodiscard]] Await {
public:
    Await(Io& io, const Operation& operation, Cancel* cancel = nullptr) : io_(io), operation_(operation), cancel_(cancel) {
        if (operation.buffers.data() == &operation.single) operation_.buffers = {&operation_.single, 1};
    }
    Await(const Await&) = delete;
    Await& operator=(const Await&) = delete;

    bool await_ready() const noexcept { return cancel_ != nullptr && cancel_->fired_; }
    void await_suspend(std::coroutine_handle<> waiter);
    Result<uint32_t> await_resume();

private:
    Io& io_;
    Operation operation_;
    Cancel* cancel_;
};

}  // namespace rafka
