#include <doctest/doctest.h>

#include "sim/operations.hpp"

#include <set>

using namespace rafka;
using namespace rafka::sim;

namespace {

constexpr uint32_t writable = flag::write | flag::create;

// The contents of one file over all crashes that `seeds` choose; "-" where it is gone.
std::set<std::string> survivors(Machine& machine, const std::string& path, CrashChoice choice = CrashChoice(),
                                uint64_t seeds = 200) {
    std::set<std::string> found;
    for (uint64_t seed = 0; seed < seeds; ++seed) {
        Random random(seed);
        auto image = machine.photograph(choice, random);
        found.insert(image.find(path) == 0 ? "-" : image.content(path));
    }
    return found;
}

std::string sectors(std::string_view letters) {
    std::string text;
    for (char letter : letters) text += std::string(512, letter);
    return text;
}

}  // namespace

TEST_CASE("of two appends of which only the first was synced, a crash may take the second") {
    Machine machine(1);
    World world(machine, 1);
    int file = open(world, "/log", writable);
    REQUIRE(file >= 0);
    REQUIRE(sync_directory(world, "/") == 0);
    CHECK(write(world, file, 0, "first") == 5);
    CHECK(sync(world, file) == 0);
    CHECK(write(world, file, 5, "second") == 6);

    // Size and bytes are kept or lost by themselves.
    CHECK(survivors(machine, "/log") == std::set<std::string>{"first", "firstsecond", std::string("first\0\0\0\0\0\0", 11)});
    CHECK(survivors(machine, "/log", CrashChoice(Keep::none, Keep::none, Keep::none)) == std::set<std::string>{"first"});
    CHECK(survivors(machine, "/log", CrashChoice(Keep::all, Keep::all, Keep::all)) == std::set<std::string>{"firstsecond"});
    close(world, file);
}

TEST_CASE("a new file's name is lost without a sync of its directory") {
    Machine machine(2);
    World world(machine, 2);
    int file = open(world, "/log", writable);
    write(world, file, 0, "bytes", flag::durable);
    CHECK(survivors(machine, "/log") == std::set<std::string>{"-", "bytes"});
    sync_directory(world, "/");
    CHECK(survivors(machine, "/log") == std::set<std::string>{"bytes"});
    close(world, file);
}

TEST_CASE("a rename without a sync of the directory may vanish, and never both names do") {
    Machine machine(3);
    World world(machine, 3);
    int file = open(world, "/name.tmp", writable);
    write(world, file, 0, "new", flag::durable);
    int old = open(world, "/name", writable);
    write(world, old, 0, "old", flag::durable);
    sync_directory(world, "/");
    CHECK(of_path(world, Code::rename, "/name.tmp", "/name") == 0);
    CHECK(survivors(machine, "/name") == std::set<std::string>{"old", "new"});
    CHECK(survivors(machine, "/name.tmp") == std::set<std::string>{"-", "new"});
    sync_directory(world, "/");
    CHECK(survivors(machine, "/name") == std::set<std::string>{"new"});
    close(world, file);
    close(world, old);
}

TEST_CASE("changes of a directory survive in order") {
    Machine machine(4);
    World world(machine, 4);
    for (auto name : {"/a", "/b", "/c"}) close(world, open(world, name, writable));
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 200; ++seed) {
        Random random(seed);
        std::string names;
        for (auto& [path, content] : machine.photograph(CrashChoice(), random).tree()) names += path;
        seen.insert(names);
    }
    CHECK(seen == std::set<std::string>{"", "/a", "/a/b", "/a/b/c"});
}

TEST_CASE("every sector that was not synced is old or new by itself") {
    Machine machine(5);
    World world(machine, 5);
    int file = open(world, "/log", writable);
    write(world, file, 0, sectors("abc"), flag::durable);
    sync_directory(world, "/");
    write(world, file, 0, sectors("ABC"));
    std::set<std::string> expected;
    for (auto mixed : {"abc", "abC", "aBc", "aBC", "Abc", "AbC", "ABc", "ABC"}) expected.insert(sectors(mixed));
    CHECK(survivors(machine, "/log") == expected);
    // A second version does not hide that the first may be what survives.
    write(world, file, 0, sectors("x"));
    CHECK(survivors(machine, "/log", CrashChoice(), 1000).contains(sectors("Abc")));
    CHECK(survivors(machine, "/log", CrashChoice(), 1000).contains(sectors("xBc")));
    close(world, file);
}

TEST_CASE("a sync covers what had completed when it was submitted, not what completed meanwhile") {
    MachineOptions options;
    options.slow = 0;
    Machine machine(6, options);
    World world(machine, 6);
    int file = open(world, "/log", writable);
    sync_directory(world, "/");
    auto& io = world.loop().io();
    write(world, file, 0, "a");

    Operation sync(Code::sync);
    sync.file = file;
    iovec buffer{const_cast<char*>("b"), 1};
    Operation write(Code::write);
    write.file = file;
    write.position = 1;
    write.buffers = {&buffer, 1};
    // Find an interleaving in which the write completes first.
    bool found = false;
    for (int i = 0; i < 100 && !found; ++i) {
        int done = 0, sync_done = 0, write_done = 0;
        auto one = [&](Operation& operation, int& order) -> Task<> {
            co_await Raw(io, operation);
            order = ++done;
        };
        Scope scope(world.loop());
        scope.start(one(sync, sync_done));
        scope.start(one(write, write_done));
        CHECK(world.run_until([&] { return done == 2; }));
        world.run_until([&] { return scope.size() == 0; });
        found = write_done < sync_done;
        if (!found) sim::of_file(world, Code::truncate, file, 0, 1), sim::sync(world, file);
    }
    REQUIRE(found);
    CHECK(survivors(machine, "/log").contains("a"));
    close(world, file);
}

TEST_CASE("a write in flight may survive in part, and be garbage only where nothing durable lies") {
    Machine machine(7);
    World world(machine, 7);
    int file = open(world, "/log", writable);
    write(world, file, 0, sectors("ab"), flag::durable);
    sync_directory(world, "/");
    int n = of_file(world, Code::allocate, file, 0, 2048);
    REQUIRE(n == 0);
    sync(world, file);
    CrashChoice choice;
    choice.garbage = true;
    std::set<std::string> seen;
    machine.at_boundary = [&] {
        auto now = survivors(machine, "/log", choice);
        seen.insert(now.begin(), now.end());
    };
    write(world, file, 512, sectors("BC"), flag::durable);
    machine.at_boundary = nullptr;
    bool garbage = false;
    for (auto& content : seen) {
        REQUIRE(content.size() == 2048);
        CHECK(content.substr(0, 512) == sectors("a"));
        CHECK((content.substr(512, 512) == sectors("b") || content.substr(512, 512) == sectors("B")));
        auto third = content.substr(1024, 512);
        garbage = garbage || (third != std::string(512, '\0') && third != sectors("C"));
        CHECK(content.substr(1536) == std::string(512, '\0'));
    }
    CHECK(garbage);
    CHECK(seen.contains(sectors("ab") + std::string(1024, '\0')));
    CHECK(seen.contains(sectors("aBC") + std::string(512, '\0')));
    CHECK(survivors(machine, "/log", choice) == std::set<std::string>{sectors("aBC") + std::string(512, '\0')});
    close(world, file);
}

TEST_CASE("what a truncation cut off may come back until it is synced, and is zeros if the file grows again") {
    Machine machine(8);
    World world(machine, 8);
    int file = open(world, "/log", writable);
    write(world, file, 0, sectors("ab"), flag::durable);
    sync_directory(world, "/");
    CHECK(of_file(world, Code::truncate, file, 0, 700) == 0);
    CHECK(of_file(world, Code::truncate, file, 0, 1024) == 0);
    std::string text;
    CHECK(read(world, file, 512, text, 1000) == 512);
    auto zeros = std::string(188, 'b') + std::string(324, '\0');
    CHECK(text == zeros);
    CHECK(survivors(machine, "/log").contains(sectors("ab")));
    CHECK(survivors(machine, "/log").contains((sectors("ab")).substr(0, 700)));
    CHECK(survivors(machine, "/log").contains(sectors("a") + zeros));
    sync(world, file);
    CHECK(survivors(machine, "/log") == std::set<std::string>{sectors("a") + zeros});
    close(world, file);
}

TEST_CASE("a durable write stays readable, though the file was cut and grew again before it without a sync") {
    Machine machine(19);
    World world(machine, 19);
    int file = open(world, "/log", writable);
    sync_directory(world, "/");
    write(world, file, 0, sectors("abcd"), flag::durable);
    REQUIRE(of_file(world, Code::truncate, file, 0, 512) == 0);
    REQUIRE(of_file(world, Code::truncate, file, 0, 2048) == 0);
    write(world, file, 1024, sectors("x"), flag::durable);
    for (auto& text : survivors(machine, "/log")) {
        CAPTURE(text.size());
        REQUIRE(text.size() >= 1536);
        CHECK(text.substr(1024, 512) == sectors("x"));
    }
    close(world, file);
}

TEST_CASE("a failed sync may lose what it covered for good, though the next one succeeds") {
    bool lost = false, kept = false;
    for (uint64_t seed = 0; seed < 20; ++seed) {
        Machine machine(seed);
        World world(machine, seed);
        int file = open(world, "/log", writable);
        sync_directory(world, "/");
        of_file(world, Code::allocate, file, 0, 512);
        sync(world, file);
        write(world, file, 0, sectors("a"));
        machine.plan({Code::sync, "log", 0, EIO});
        CHECK(sync(world, file) == -EIO);
        CHECK(sync(world, file) == 0);
        std::string text;
        CHECK(read(world, file, 0, text, 512) == 512);
        CHECK(text == sectors("a"));
        auto after = survivors(machine, "/log");
        CHECK(after.size() == 1);
        lost = lost || after.contains(std::string(512, '\0'));
        kept = kept || after.contains(sectors("a"));
        close(world, file);
    }
    CHECK(lost);
    CHECK(kept);
}

TEST_CASE("space ends, comes back when files are cut or removed, and can be taken away") {
    MachineOptions options;
    options.disk.space_bytes = 64 << 10;
    Machine machine(9, options);
    World world(machine, 9);
    int file = open(world, "/log", writable);
    CHECK(of_file(world, Code::allocate, file, 0, 60 << 10) == 0);
    CHECK(of_file(world, Code::allocate, file, 60 << 10, 8 << 10) == -ENOSPC);
    CHECK(write(world, file, 64 << 10, "x") == -ENOSPC);
    CHECK(of_file(world, Code::truncate, file, 0, 4096) == 0);
    CHECK(machine.disk().space().usable_bytes == 60 << 10);
    CHECK(of_path(world, Code::remove, "/log") == 0);
    CHECK(machine.disk().space().usable_bytes == 64 << 10);
    close(world, file);
    machine.disk().set_space(0);
    int other = open(world, "/other", writable);
    CHECK(write(world, other, 0, "x") == -ENOSPC);
    close(world, other);
}

TEST_CASE("direct transfers must be aligned, where there are any") {
    Machine machine(10);
    World world(machine, 10);
    int file = open(world, "/log", writable | flag::direct);
    REQUIRE(file >= 0);
    FileStatus status;
    Operation operation(Code::status);
    operation.file = file;
    operation.out = &status;
    CHECK(run(world, operation) == 0);
    CHECK(status.direct_offset_alignment == 4096);
    alignas(4096) static char block[8192];
    CHECK(write(world, file, 0, {block, 4096}) == 4096);
    CHECK(write(world, file, 512, {block, 4096}) == -EINVAL);
    CHECK(write(world, file, 0, {block, 100}) == -EINVAL);
    CHECK(write(world, file, 0, {block + 8, 4096}) == -EINVAL);
    close(world, file);

    MachineOptions options;
    options.disk.direct_alignment = 0;
    Machine without(10, options);
    World other(without, 10);
    CHECK(open(other, "/log", writable | flag::direct) == -EINVAL);
}

TEST_CASE("a lock has one holder, and does not survive a crash") {
    Machine machine(11);
    World world(machine, 11);
    int one = open(world, "/.lock", writable), two = open(world, "/.lock", writable);
    CHECK(of_file(world, Code::lock, one) == 0);
    CHECK(of_file(world, Code::lock, two) == -EAGAIN);
    sync_directory(world, "/");
    Random random(1);
    Machine next(12, MachineOptions(), machine.photograph(CrashChoice(), random));
    World after(next, 12);
    int three = open(after, "/.lock", flag::write);
    CHECK(of_file(after, Code::lock, three) == 0);
    close(world, one);
    CHECK(of_file(world, Code::lock, two) == 0);
    close(world, two);
    close(after, three);
}

TEST_CASE("directories: listed in any order, removed when empty, moved with what they hold") {
    Machine machine(13);
    World world(machine, 13);
    CHECK(of_path(world, Code::make_directory, "/d") == 0);
    CHECK(of_path(world, Code::make_directory, "/d") == -EEXIST);
    close(world, open(world, "/d/file", writable));
    CHECK(open(world, "/d/file", writable | flag::exclusive) == -EEXIST);
    CHECK(open(world, "/none/file", writable) == -ENOENT);
    CHECK(of_path(world, Code::remove, "/d") == -ENOTEMPTY);
    CHECK(of_path(world, Code::rename, "/d", "/e") == 0);
    std::vector<DirectoryEntry> entries;
    Operation list(Code::list_directory);
    list.path = "/e";
    list.out = &entries;
    CHECK(run(world, list) == 0);
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].name == "file");
    CHECK(of_path(world, Code::remove, "/e/file") == 0);
    CHECK(of_path(world, Code::remove, "/e") == 0);
    CHECK(of_path(world, Code::remove, "/e") == -ENOENT);
}

namespace {

// A little of everything by several tasks, as one number.
uint64_t busy_trace(uint64_t seed) {
    MachineOptions options;
    Machine machine(seed, options);
    machine.faults.short_transfer = 0.2;
    machine.faults.write = 0.05;
    World world(machine, seed, 3);
    std::vector<std::unique_ptr<Scope>> scopes;
    for (auto* loop : world.loops()) scopes.push_back(std::make_unique<Scope>(*loop));
    auto work = [](Loop* loop, Loop* other) -> Task<> {
        auto path = "/file" + std::to_string(loop->index());
        Operation open(Code::open);
        open.path = path.c_str();
        open.flags = writable;
        int file = co_await Raw(loop->io(), open);
        for (int i = 0; i < 20; ++i) {
            auto text = std::to_string(loop->io().random());
            iovec buffer{text.data(), text.size()};
            Operation write(Code::write);
            write.file = file;
            write.position = uint64_t(i) * 7;
            write.buffers = {&buffer, 1};
            co_await Raw(loop->io(), write);
            co_await sleep_for(*loop, std::chrono::microseconds(50));
            co_await Hop(*other);
            co_await Hop(*loop);
        }
        Operation close(Code::close);
        close.file = file;
        co_await Raw(loop->io(), close);
    };
    for (size_t i = 0; i < 3; ++i) scopes[i]->start(work(&world.loop(i), &world.loop((i + 1) % 3)));
    CHECK(world.run_until([&] { return scopes[0]->size() + scopes[1]->size() + scopes[2]->size() == 0; }));
    return machine.trace();
}

}  // namespace

TEST_CASE("one seed is one story") {
    std::set<uint64_t> traces;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        auto trace = busy_trace(seed);
        CHECK(trace == busy_trace(seed));
        traces.insert(trace);
    }
    CHECK(traces.size() == 20);
}

TEST_CASE("virtual time passes without waiting for it") {
    Machine machine(14);
    World world(machine, 14);
    auto wall = machine.clock().wall();
    auto sleep = [](Loop& loop) -> Task<> { co_await sleep_for(loop, std::chrono::hours(24)); };
    Scope scope(world.loop());
    scope.start(sleep(world.loop()));
    CHECK(world.run_until([&] { return scope.size() == 0; }, std::chrono::hours(25)));
    CHECK(machine.clock().wall().ms - wall.ms >= 24 * 3600 * 1000);
    machine.clock().jump_wall(std::chrono::hours(-24));
    CHECK(machine.clock().wall().ms - wall.ms < 1000);
}
