// The choice of a backend where the machine forbids io_uring, and what is special about the ring.

#include "every_io.hpp"

#include "io/buffers.hpp"
#include "io/file.hpp"
#include "io/socket.hpp"

#ifdef RAFKA_ASAN
#include <sanitizer/asan_interface.h>
#endif

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <vector>

using namespace rafka;
using namespace rafka::io;
using namespace std::chrono_literals;

namespace {

void skip(const std::string& reason) { MESSAGE("skipped: ", reason); }

// Makes a system call of this process fail from here on, as a container runtime does.
bool deny(int call, int error) {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, uint32_t(call), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | uint32_t(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{std::size(filter), filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Runs it in a child process, and gives back what the child says.
std::string in_child(const std::function<std::string()>& body) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    auto child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::close(ends[0]);
        auto text = body();
        (void)!::write(ends[1], text.data(), text.size());
        _exit(0);
    }
    ::close(ends[1]);
    std::string text;
    char part[512];
    for (ssize_t n; (n = ::read(ends[0], part, sizeof part)) > 0;) text.append(part, size_t(n));
    ::close(ends[0]);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    return text;
}

Task<Result<std::string>> write_and_read(Io& io, std::string path) {
    CO_CHECKED(co_await write_file_atomically(io, path, as_bytes("works")));
    CO_TRY(auto bytes, co_await read_file(io, path));
    co_return std::string(as_text(bytes));
}

std::string try_backend(Backend backend, int call, int error, const std::string& path) {
    return in_child([&]() -> std::string {
        if (!deny(call, error)) return "no filter";
        auto made = make_io(backend);
        std::string text = made.sentence;
        if (!made.io) return "refused: " + text;
        Loop loop(*made.io, 0);
        auto outcome = block_on(loop, write_and_read(*made.io, path));
        return text + (outcome ? "; " + *outcome : std::string("; failed"));
    });
}

// How often the kernel's hidden threads of this process went to sleep: each piece of work adds at least one.
uint64_t worker_activity(size_t& workers) {
    uint64_t sum = 0;
    workers = 0;
    for (auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(entry.path() / "comm") >> std::ws, name);
        if (!name.starts_with("iou-wrk")) continue;
        ++workers;
        std::ifstream status(entry.path() / "status");
        for (std::string line; std::getline(status, line);) {
            auto colon = line.find(':');
            if (line.find("ctxt_switches") != std::string::npos) sum += std::stoull(line.substr(colon + 1));
        }
    }
    return sum;
}

struct Activity {
    uint64_t before = 0, after = 0;
    size_t workers_before = 0, workers_after = 0;
};

Task<Result<Activity>> write_durably(Loop& loop, std::string path, int count) {
    CO_TRY(auto file, co_await File::open(loop.io(), path, flag::write | flag::create | flag::direct));
    Buffer zeros(1 << 20);
    std::memset(zeros.data(), 0, zeros.size());
    CO_CHECKED(co_await file.allocate(0, zeros.size()));
    CO_CHECKED(co_await file.write_all(zeros.bytes(), 0, flag::durable));
    co_await sleep_for(loop, 50ms);  // The threads that allocated and filled fall asleep.
    Activity activity;
    activity.before = worker_activity(activity.workers_before);
    for (int i = 0; i < count; ++i) {
        CO_CHECKED(co_await file.write_at(zeros.first(4096), uint64_t(i % 256) * 4096, flag::durable));
    }
    activity.after = worker_activity(activity.workers_after);
    CO_CHECKED(co_await file.close());
    co_return activity;
}

Task<> read_one(Io& io, const File& file, uint64_t position, size_t& good) {
    std::byte byte{};
    auto count = co_await file.read_at(MutableBytes(&byte, 1), position);
    good += count && *count == 1 && byte == std::byte(position % 251);
    (void)io;
}

Task<> read_many(Loop& loop, std::string path, size_t count, size_t& good) {
    std::vector<std::byte> bytes(count);
    for (size_t i = 0; i < count; ++i) bytes[i] = std::byte(i % 251);
    auto written = co_await write_file_atomically(loop.io(), path, bytes);
    REQUIRE(written.has_value());
    auto file = co_await File::open(loop.io(), path, flag::read_only);
    REQUIRE(file.has_value());
    Scope scope(loop);
    for (size_t i = 0; i < count; ++i) scope.start(read_one(loop.io(), *file, i, good));
    co_await scope.drained();
}

Task<> receive_until_canceled(Io& io, int file, Cancel& cancel, size_t& canceled) {
    std::byte bytes[64];
    Operation operation(Code::receive);
    operation.file = file;
    operation.single = {bytes, sizeof bytes};
    operation.buffers = {&operation.single, 1};
    auto result = co_await Await(io, operation, &cancel);
    canceled += !result && result.error() == Errc::canceled;
}

Task<> cancel_many(Loop& loop, size_t count, size_t& canceled) {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    Cancel cancel(loop.io());
    Scope scope(loop);
    for (size_t i = 0; i < count; ++i) scope.start(receive_until_canceled(loop.io(), ends[0], cancel, canceled));
    co_await sleep_for(loop, 1ms);
    cancel.fire();
    co_await scope.drained();
    loop.io().drop(ends[0]);
    loop.io().drop(ends[1]);
}

}  // namespace

TEST_CASE("where a filter denies io_uring, automatic takes epoll and says why; demanded, it is refused and says why") {
    test::TemporaryDirectory directory;
    std::string denied = "io_uring is denied by a seccomp filter (EPERM), as container runtimes do by default";
    auto path = directory.file("x");
    auto text = try_backend(Backend::automatic, SYS_io_uring_setup, EPERM, path);
    if (text == "no filter") return skip("seccomp filters cannot be installed here");
    CHECK(text == "I/O by epoll and threads: " + denied + "; works");
    CHECK(try_backend(Backend::uring, SYS_io_uring_setup, EPERM, path) == "refused: " + denied);
    CHECK(try_backend(Backend::epoll, SYS_io_uring_setup, EPERM, path) == "I/O by epoll and threads; works");
    // A filter that lets the ring be made, and forbids its use.
    CHECK(try_backend(Backend::automatic, SYS_io_uring_enter, EPERM, path).ends_with(denied + "; works"));
    CHECK(try_backend(Backend::automatic, SYS_io_uring_setup, ENOSYS, path).find("(ENOSYS); works") != std::string::npos);
    // Old kernels and some runtimes lack epoll_pwait2.
    CHECK(try_backend(Backend::epoll, SYS_epoll_pwait2, ENOSYS, path) == "I/O by epoll and threads; works");
    CHECK(try_backend(Backend::epoll, SYS_epoll_pwait2, EPERM, path) == "I/O by epoll and threads; works");
}

TEST_CASE("each reason for doing without io_uring has a sentence of its own") {
    CHECK(uring_refusal(EINVAL).find("too old (EINVAL); Linux 6.1") != std::string::npos);
    CHECK(uring_refusal(ENOMEM).find("LimitMEMLOCK=") != std::string::npos);
    CHECK(uring_refusal(EMFILE).find("ulimit -n") != std::string::npos);
    CHECK(uring_refusal(EACCES).find("security module") != std::string::npos);
    CHECK(uring_refusal(EIO).find("Input/output error") != std::string::npos);
}

TEST_CASE("durable direct writes into written space wake no hidden kernel thread") {
    if (auto refusal = probe_uring(); !refusal.empty()) return skip(refusal);
    test::TemporaryDirectory directory;
    int error = 0;
    auto uring = Uring::open(error);
    REQUIRE(uring);
    Loop loop(*uring, 0);
    auto promised = block_on(loop, writes_inline(loop, directory.path()));
    REQUIRE(promised.has_value());
    CHECK(std::filesystem::is_empty(directory.path()));
    if (!*promised) return skip("this kernel or file system hands such writes to a hidden thread");
    auto activity = block_on(loop, write_durably(loop, directory.file("journal"), 300));
    REQUIRE(activity.has_value());
    CHECK(activity->workers_before > 0);  // The measure works: allocation did use one.
    // Room for a thread that ends because it is idle.
    CHECK(activity->after <= activity->before + 8);
    CHECK(activity->workers_after <= activity->workers_before);
}

TEST_CASE("more operations than the ring has places all come back") {
    test::TemporaryDirectory directory;
    int error = 0;
    if (auto small = Uring::open(error, 4)) {
        Loop loop(*small, 0);
        size_t good = 0;
        block_on(loop, read_many(loop, directory.file("many"), 3000, good));
        CHECK(good == 3000);
        CHECK(small->counters().queue_was_full > 0);
        size_t canceled = 0;
        block_on(loop, cancel_many(loop, 500, canceled));
        CHECK(canceled == 500);
    } else {
        skip(uring_refusal(error));
    }
    test::on_every_io([&](Loop& loop) {
        size_t good = 0, canceled = 0;
        block_on(loop, read_many(loop, directory.file("many"), 3000, good));
        CHECK(good == 3000);
        block_on(loop, cancel_many(loop, 500, canceled));
        CHECK(canceled == 500);
    });
}

#ifdef RAFKA_ASAN
TEST_CASE("memory that the kernel may write to is nobody else's until it comes back") {
    int error = 0;
    auto uring = Uring::open(error);
    if (!uring) return skip(uring_refusal(error));
    Loop loop(*uring, 0);
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    std::vector<std::byte> bytes(64);
    Operation operation(Code::receive);
    operation.file = ends[0];
    operation.single = {bytes.data(), bytes.size()};
    operation.buffers = {&operation.single, 1};
    operation.waiter = std::noop_coroutine();
    uring->submit(operation);
    loop.turn(Instant{});
    CHECK(__asan_address_is_poisoned(bytes.data() + 8));
    REQUIRE(::write(ends[1], "abc", 3) == 3);
    loop.turn(never);
    CHECK(operation.result == 3);
    CHECK(__asan_region_is_poisoned(bytes.data(), bytes.size()) == nullptr);
    CHECK(as_text(Bytes(bytes).first(3)) == "abc");
    uring->drop(ends[0]);
    uring->drop(ends[1]);
}
#endif

TEST_CASE("a loop that looks for completions does not call the kernel each time") {
    int error = 0;
    auto uring = Uring::open(error);
    if (!uring) return skip(uring_refusal(error));
    Loop loop(*uring, 0);
    loop.turn(Instant{});
    auto before = uring->counters().enters;
    for (int i = 0; i < 1000; ++i) loop.turn(Instant{});
    CHECK(uring->counters().enters - before <= 1);
}
