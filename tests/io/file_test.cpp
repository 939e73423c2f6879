#include "every_io.hpp"

#include "io/buffers.hpp"
#include "io/file.hpp"

#include <cstring>

using namespace rafka;
using namespace rafka::io;

namespace {

#define REQUIRE_OK(...)                                    \
    do {                                                   \
        auto&& required = (__VA_ARGS__);                    \
        REQUIRE_MESSAGE(required.has_value(), to_text(required.error())); \
    } while (false)

Task<> plain_file(Io& io, std::string path) {
    auto opened = co_await File::open(io, path, flag::write | flag::create | flag::exclusive);
    REQUIRE_OK(opened);
    auto file = std::move(*opened);
    REQUIRE_OK(co_await file.write_all(as_bytes("hello, "), 0));
    std::string a = "wor", b = "ld";
    iovec parts[] = {{a.data(), a.size()}, {b.data(), b.size()}};
    REQUIRE_OK(co_await file.write_all(std::span<const iovec>(parts), 7, flag::durable));
    REQUIRE_OK(co_await file.sync());
    REQUIRE_OK(co_await file.sync(flag::data_only));

    std::string text(12, '-');
    auto into = std::as_writable_bytes(std::span(text));
    REQUIRE_OK(co_await file.read_exact(into, 0));
    CHECK(text == "hello, world");
    auto beyond = co_await file.read_exact(into, 1);
    CHECK(beyond.error() == Errc::closed);
    auto at_end = co_await file.read_at(into, 12);
    CHECK(at_end.value() == 0);

    REQUIRE_OK(co_await file.allocate(0, 1 << 20));
    auto status = co_await file.status();
    REQUIRE_OK(status);
    CHECK(status->size == 1 << 20);
    CHECK(status->allocated_bytes >= 1 << 20);
    CHECK_FALSE(status->is_directory);
    CHECK(status->modified.ms > 1'600'000'000'000);
    REQUIRE_OK(co_await file.truncate(5));
    status = co_await file.status();
    CHECK(status->size == 5);
    REQUIRE_OK(co_await file.close());
    CHECK_FALSE(file.is_open());

    auto again = co_await File::open(io, path, flag::write | flag::create | flag::exclusive);
    CHECK(again.error() == Errc::exists);
    auto missing = co_await File::open(io, path + "-not", flag::read_only);
    CHECK(missing.error() == Errc::not_found);
}

Task<> whole_files(Io& io, std::string root) {
    std::string deep = root + "/a/b/c";
    REQUIRE_OK(co_await make_directories(io, deep));
    REQUIRE_OK(co_await make_directories(io, deep));
    REQUIRE_OK(co_await write_file_atomically(io, deep + "/one", as_bytes("first")));
    REQUIRE_OK(co_await write_file_atomically(io, deep + "/one", as_bytes("second")));
    auto read = co_await read_file(io, deep + "/one");
    REQUIRE_OK(read);
    CHECK(as_text(*read) == "second");
    std::string large(100'000, 'x');
    REQUIRE_OK(co_await write_file_atomically(io, deep + "/large", as_bytes(large)));
    read = co_await read_file(io, deep + "/large");
    CHECK(as_text(*read) == large);

    auto under_file = co_await make_directories(io, deep + "/one/x");
    CHECK_FALSE(under_file.has_value());
    REQUIRE_OK(co_await rename_durably(io, deep + "/one", root + "/a/two"));
    auto entries = co_await list(io, root + "/a");
    REQUIRE_OK(entries);
    REQUIRE(entries->size() == 2);
    CHECK((*entries)[0].name == "b");
    CHECK((*entries)[0].is_directory);
    CHECK((*entries)[1].name == "two");
    CHECK_FALSE((*entries)[1].is_directory);
    auto not_empty = co_await remove(io, root + "/a");
    CHECK(not_empty.error() == Errc::exists);
    auto space = co_await space_of(io, root);
    REQUIRE_OK(space);
    CHECK(space->usable_bytes > 0);
    CHECK(space->total_bytes >= space->usable_bytes);

    auto exists = co_await path_exists(io, root + "/a/two");
    CHECK(exists.value());
    REQUIRE_OK(co_await remove_tree(io, root + "/a"));
    REQUIRE_OK(co_await remove_tree(io, root + "/a"));
    exists = co_await path_exists(io, root + "/a");
    CHECK_FALSE(exists.value());
}

Task<> direct_file(Io& io, std::string path) {
    auto opened = co_await File::open(io, path, flag::write | flag::create | flag::direct);
    if (!opened) {
        MESSAGE("no direct I/O here: ", to_text(opened.error()));
        co_return;
    }
    auto file = std::move(*opened);
    auto status = co_await file.status();
    REQUIRE_OK(status);
    CHECK(status->direct_offset_alignment > 0);
    CHECK(status->direct_memory_alignment > 0);
    Buffer buffer(8192);
    std::memset(buffer.data(), 'a', 4096);
    std::memset(buffer.data() + 4096, 'b', 4096);
    REQUIRE_OK(co_await file.allocate(0, 65536));
    REQUIRE_OK(co_await file.write_all(buffer.bytes(), 4096, flag::durable));
    Buffer back(4096);
    REQUIRE_OK(co_await file.read_exact(back.bytes(), 8192));
    CHECK(std::memcmp(back.data(), buffer.data() + 4096, 4096) == 0);
    REQUIRE_OK(co_await file.read_exact(back.bytes(), 0));
    CHECK(std::to_integer<int>(back.data()[17]) == 0);  // Allocated and never written.
    REQUIRE_OK(co_await file.close());
}

}  // namespace

TEST_CASE("a file keeps what is written, and tells its size and its end") {
    test::on_every_io([](Loop& loop) {
        test::TemporaryDirectory directory;
        block_on(loop, plain_file(loop.io(), directory.file("plain")));
    });
}

TEST_CASE("directories and whole files are made, replaced, renamed, listed and removed") {
    test::on_every_io([](Loop& loop) {
        test::TemporaryDirectory directory;
        block_on(loop, whole_files(loop.io(), directory.path()));
    });
}

TEST_CASE("direct durable writes into allocated space are read back") {
    test::on_every_io([](Loop& loop) {
        test::TemporaryDirectory directory;
        block_on(loop, direct_file(loop.io(), directory.file("direct")));
    });
}

TEST_CASE("the parent of a path") {
    CHECK(directory_of("/a/b") == "/a");
    CHECK(directory_of("/a/b/") == "/a");
    CHECK(directory_of("/a") == "/");
    CHECK(directory_of("/") == "/");
    CHECK(directory_of("a") == ".");
    CHECK(directory_of("") == ".");
}
