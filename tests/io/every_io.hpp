#pragma once

// Runs a test over every Io of the machine, each with a loop of its own.

#include "io/backend.hpp"
#include "io/epoll.hpp"
#include "io/uring.hpp"

#include <rafka/loop.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace rafka::test {

inline void on_every_io(const std::function<void(Loop&)>& body) {
    if (auto refusal = io::probe_uring(); refusal.empty()) {
        INFO("over io_uring");
        int error = 0;
        auto uring = io::Uring::open(error);
        REQUIRE(uring);
        Loop loop(*uring, 0);
        body(loop);
    } else {
        MESSAGE("not over io_uring: ", refusal);
    }
    {
        INFO("over epoll");
        io::Epoll epoll;
        Loop loop(epoll, 0);
        body(loop);
    }
}

// A directory that goes with its object. On a real file system, not on /tmp where that is memory.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string pattern = (std::filesystem::current_path() / "io-test-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

}  // namespace rafka::test
