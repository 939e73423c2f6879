#include "every_io.hpp"

#include "io/file.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace rafka;
using namespace rafka::io;

namespace {

Task<Errc> lock_held_elsewhere(Io& io, std::string path) {
    auto file = co_await File::open(io, path, flag::write | flag::create);
    REQUIRE(file.has_value());
    auto locked = co_await file->lock();
    co_return locked ? Errc{} : locked.error();
}

}  // namespace

TEST_CASE("a file that another process has locked says so, and is free once that process is gone") {
    test::on_every_io([](Loop& loop) {
        test::TemporaryDirectory directory;
        auto path = directory.file(".lock");
        int ready[2], leave[2];
        REQUIRE(pipe(ready) == 0);
        REQUIRE(pipe(leave) == 0);
        auto child = fork();
        REQUIRE(child >= 0);
        char byte = 0;
        if (child == 0) {
            ::close(leave[1]);
            int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0644);
            struct flock whole {};
            whole.l_type = F_WRLCK;
            if (file < 0 || fcntl(file, F_SETLK, &whole) != 0) _exit(1);
            (void)!::write(ready[1], "r", 1);
            (void)!::read(leave[0], &byte, 1);
            _exit(0);
        }
        ::close(leave[0]);
        CHECK(::read(ready[0], &byte, 1) == 1);
        CHECK(block_on(loop, lock_held_elsewhere(loop.io(), path)) == Errc::locked);
        ::close(leave[1]);
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(status == 0);
        CHECK(block_on(loop, lock_held_elsewhere(loop.io(), path)) == Errc{});
        ::close(ready[0]);
        ::close(ready[1]);
    });
}
