#pragma once

// Operations one by one, for tests: each function submits one, runs the world until it is done and returns its raw
// result. Inside coroutines use Await.

#include "sim/world.hpp"

#include <string>
#include <string_view>

namespace rafka::sim {

class Raw {
public:
    Raw(Io& io, Operation& operation) : io_(io), operation_(operation) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
        operation_.waiter = waiter;
        io_.submit(operation_);
    }
    int await_resume() const { return operation_.result; }

private:
    Io& io_;
    Operation& operation_;
};

inline Task<int> raw(Io& io, Operation& operation) { co_return co_await Raw(io, operation); }

inline int run(World& world, Operation operation) { return world.run(raw(world.loop().io(), operation)); }

inline int open(World& world, std::string path, uint32_t flags) {
    Operation operation(Code::open);
    operation.path = path.c_str();
    operation.flags = flags;
    return run(world, operation);
}

inline int close(World& world, int file) {
    Operation operation(Code::close);
    operation.file = file;
    return run(world, operation);
}

inline int write(World& world, int file, uint64_t position, std::string_view text, uint32_t flags = 0) {
    iovec buffer{const_cast<char*>(text.data()), text.size()};
    Operation operation(Code::write);
    operation.file = file;
    operation.position = position;
    operation.buffers = {&buffer, 1};
    operation.flags = flags;
    return run(world, operation);
}

inline int read(World& world, int file, uint64_t position, std::string& text, size_t size) {
    text.resize(size);
    iovec buffer{text.data(), text.size()};
    Operation operation(Code::read);
    operation.file = file;
    operation.position = position;
    operation.buffers = {&buffer, 1};
    int n = run(world, operation);
    text.resize(size_t(std::max(n, 0)));
    return n;
}

inline int of_file(World& world, Code code, int file, uint64_t position = 0, uint64_t length = 0) {
    Operation operation(code);
    operation.file = file;
    operation.position = position;
    operation.length = length;
    return run(world, operation);
}
inline int sync(World& world, int file) { return of_file(world, Code::sync, file); }

inline int of_path(World& world, Code code, std::string path, std::string other = "") {
    Operation operation(code);
    operation.path = path.c_str();
    operation.other_path = other.c_str();
    return run(world, operation);
}

// Opens a directory, syncs it and closes it.
inline int sync_directory(World& world, std::string path) {
    int file = open(world, path, flag::read_only | flag::directory);
    if (file < 0) return file;
    int result = sync(world, file);
    close(world, file);
    return result;
}

}  // namespace rafka::sim
