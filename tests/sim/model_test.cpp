#include <doctest/doctest.h>

#include "io/epoll.hpp"
#include "sim/operations.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

// The model of the disk against a real file system: one random story on both, with the same answers.

using namespace rafka;
using namespace rafka::sim;

namespace {

struct Story {
    Loop& loop;
    std::string base;
    Random random;
    std::vector<std::string> answers;
    std::vector<std::pair<int, bool>> files;  // Open descriptors, and whether they may write.

    Story(Loop& loop, std::string base, uint64_t seed) : loop(loop), base(std::move(base)), random(seed) {}

    void note(const std::string& what, int64_t result) { answers.push_back(what + " -> " + std::to_string(result)); }
    std::string any_directory() { return random.chance(0.5) ? "" : "/d" + std::to_string(random.below(3)); }
    std::string any_path() {
        if (random.chance(0.1)) return "/d" + std::to_string(random.below(3));
        return any_directory() + "/f" + std::to_string(random.below(4));
    }

    Task<> open() {
        auto path = any_path(), full = base + path;
        Operation operation(Code::open);
        operation.path = full.c_str();
        bool writes = random.chance(0.8);
        operation.flags = writes ? flag::write : flag::read_only;
        if (writes && random.chance(0.8)) operation.flags |= flag::create;
        if (writes && random.chance(0.1)) operation.flags |= flag::truncate;
        if ((operation.flags & flag::create) && random.chance(0.1)) operation.flags |= flag::exclusive;
        int file = co_await Raw(loop.io(), operation);
        note("open " + path + " flags " + std::to_string(operation.flags), std::min(file, 0));
        if (file >= 0) files.emplace_back(file, writes);
    }

    Task<> close(size_t which) {
        Operation operation(Code::close);
        operation.file = files[which].first;
        files.erase(files.begin() + int64_t(which));
        int result = co_await Raw(loop.io(), operation);
        note("close", result);
    }

    Task<> on_file(size_t which) {
        static constexpr Code codes[] = {Code::write, Code::write, Code::write, Code::read, Code::read,
                                         Code::allocate, Code::truncate, Code::sync, Code::status};
        auto code = codes[random.below(std::size(codes))];
        Operation operation(code);
        operation.file = files[which].first;
        operation.position = random.below(6000);
        operation.length = code == Code::allocate || code == Code::truncate ? random.between(1, 9000) : 0;
        std::string one(random.between(1, 3000), char('a' + random.below(26))), two(random.between(1, 3000), '-');
        if (code == Code::read) std::fill(one.begin(), one.end(), '?'), std::fill(two.begin(), two.end(), '?');
        iovec buffers[2] = {{one.data(), one.size()}, {two.data(), two.size()}};
        if (code == Code::write || code == Code::read) operation.buffers = buffers;
        if (code == Code::write && random.chance(0.3)) operation.flags = flag::durable;
        if (code == Code::truncate) operation.position = 0;
        FileStatus status;
        operation.out = &status;
        int result = co_await Raw(loop.io(), operation);
        note("code " + std::to_string(int(code)) + " at " + std::to_string(operation.position), result);
        if (code == Code::read) answers.push_back(one + two);
        if (code == Code::status) note("size", status.is_directory ? -1 : int64_t(status.size));
    }

    Task<> on_path() {
        static constexpr Code codes[] = {Code::rename, Code::rename, Code::remove, Code::make_directory};
        auto code = codes[random.below(std::size(codes))];
        auto path = code == Code::make_directory ? "/d" + std::to_string(random.below(3)) : any_path();
        auto other = any_path();
        if (path.starts_with("/d") && path.size() == 3 && other.starts_with(path)) co_return;  // Into itself.
        auto full = base + path, full_other = base + other;
        Operation operation(code);
        operation.path = full.c_str();
        operation.other_path = full_other.c_str();
        int result = co_await Raw(loop.io(), operation);
        note("code " + std::to_string(int(code)) + " " + path + " " + other, result);
    }

    Task<> list(std::string path) {
        auto full = base + path;
        std::vector<DirectoryEntry> entries;
        Operation operation(Code::list_directory);
        operation.path = full.c_str();
        operation.out = &entries;
        int result = co_await Raw(loop.io(), operation);
        std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.name < b.name; });
        note("list " + path, std::min(result, 0));
        for (auto& entry : entries) answers.push_back(entry.name + (entry.is_directory ? "/" : ""));
    }

    Task<> read_whole(std::string path) {
        auto full = base + path;
        Operation open(Code::open);
        open.path = full.c_str();
        open.flags = flag::read_only;
        int file = co_await Raw(loop.io(), open);
        note("read whole " + path, std::min(file, 0));
        if (file < 0) co_return;
        std::string text(64 << 10, '?');
        iovec buffer{text.data(), text.size()};
        Operation read(Code::read);
        read.file = file;
        read.buffers = {&buffer, 1};
        int n = co_await Raw(loop.io(), read);
        note(text.substr(0, size_t(std::max(n, 0))), n);
        Operation close(Code::close);
        close.file = file;
        co_await Raw(loop.io(), close);
    }

    Task<> play(int steps) {
        for (int i = 0; i < steps; ++i) {
            auto dice = random.below(10);
            if (files.empty() || dice < 2) co_await open();
            else if (dice == 2) co_await close(random.below(files.size()));
            else if (dice < 5) co_await on_path();
            else co_await on_file(random.below(files.size()));
        }
        while (!files.empty()) co_await close(0);
        for (auto* directory : {"", "/d0", "/d1", "/d2"}) {
            co_await list(directory);
            for (auto* file : {"/f0", "/f1", "/f2", "/f3"}) co_await read_whole(std::string(directory) + file);
        }
    }
};

}  // namespace

TEST_CASE("the simulated disk answers as a real file system does") {
    io::Epoll epoll;
    Loop real(epoll, 0);
    for (uint64_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        char directory[] = "/tmp/rafka-model-XXXXXX";
        REQUIRE(mkdtemp(directory) != nullptr);
        Story on_disk(real, directory, seed);
        block_on(real, on_disk.play(120));
        std::filesystem::remove_all(directory);

        Machine machine(seed);
        World world(machine, seed);
        Story simulated(world.loop(), "", seed);
        world.run(simulated.play(120));
        CHECK(machine.descriptor_count() == 0);

        REQUIRE(on_disk.answers.size() == simulated.answers.size());
        for (size_t i = 0; i < on_disk.answers.size(); ++i) {
            CAPTURE(i);
            REQUIRE(on_disk.answers[i] == simulated.answers[i]);
        }
    }
}
