#include "io/file.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <climits>

namespace rafka::io {
namespace {

iovec vector_of(Bytes bytes) { return {const_cast<std::byte*>(bytes.data()), bytes.size()}; }

// One operation on a path, without a value.
Task<Result<>> on_path(Io& io, Code code, std::string path) {
    Operation operation(code);
    operation.path = path.c_str();
    auto done = co_await Await(io, operation);
    CO_CHECKED(done);
    co_return Result<>{};
}

// What is left of the buffers behind `skip` bytes. Requires that this is not nothing.
std::vector<iovec> rest_of(std::span<const iovec> buffers, size_t skip) {
    std::vector<iovec> rest;
    for (auto& buffer : buffers) {
        size_t skipped = std::min(skip, buffer.iov_len);
        skip -= skipped;
        if (skipped < buffer.iov_len) rest.push_back({static_cast<char*>(buffer.iov_base) + skipped, buffer.iov_len - skipped});
    }
    return rest;
}

size_t size_of(std::span<const iovec> buffers) {
    size_t size = 0;
    for (auto& buffer : buffers) size += buffer.iov_len;
    return size;
}

}  // namespace

File::~File() {
    if (descriptor_ >= 0) io_->drop(descriptor_);
}

Task<Result<File>> File::open(Io& io, std::string path, uint32_t flags) {
    Operation operation(Code::open);
    operation.path = path.c_str();
    operation.flags = flags;
    CO_TRY(auto descriptor, co_await Await(io, operation));
    co_return File(io, int(descriptor));
}

Operation File::of(Code code) const {
    ASSERT(descriptor_ >= 0);
    Operation operation(code);
    operation.file = descriptor_;
    return operation;
}

Await File::read_at(MutableBytes into, uint64_t position) const {
    auto operation = of(Code::read);
    operation.single = vector_of(into);
    operation.buffers = {&operation.single, 1};
    operation.position = position;
    return Await(*io_, operation);
}

Await File::read_at(std::span<const iovec> into, uint64_t position) const {
    auto operation = of(Code::read);
    operation.buffers = into;
    operation.position = position;
    return Await(*io_, operation);
}

Await File::write_at(Bytes from, uint64_t position, uint32_t flags) const {
    auto operation = of(Code::write);
    operation.single = vector_of(from);
    operation.buffers = {&operation.single, 1};
    operation.position = position;
    operation.flags = flags;
    return Await(*io_, operation);
}

Await File::write_at(std::span<const iovec> from, uint64_t position, uint32_t flags) const {
    auto operation = of(Code::write);
    operation.buffers = from;
    operation.position = position;
    operation.flags = flags;
    return Await(*io_, operation);
}

Task<Result<>> File::read_exact(MutableBytes into, uint64_t position) const {
    for (size_t done = 0; done < into.size();) {
        CO_TRY(auto count, co_await read_at(into.subspan(done), position + done));
        if (count == 0) co_return fail(Errc::closed);
        done += count;
    }
    co_return Result<>{};
}

Task<Result<>> File::write_all(Bytes from, uint64_t position, uint32_t flags) const {
    for (size_t done = 0; done < from.size();) {
        CO_TRY(auto count, co_await write_at(from.subspan(done), position + done, flags));
        if (count == 0) co_return fail(Errc::io_error);
        done += count;
    }
    co_return Result<>{};
}

Task<Result<>> File::write_all(std::span<const iovec> from, uint64_t position, uint32_t flags) const {
    size_t size = size_of(from);
    CO_TRY(size_t done, co_await write_at(from, position, flags));
    while (done < size) {
        auto rest = rest_of(from, done);
        CO_TRY(auto count, co_await write_at(rest, position + done, flags));
        if (count == 0) co_return fail(Errc::io_error);
        done += count;
    }
    co_return Result<>{};
}

Await File::sync(uint32_t flags) const {
    auto operation = of(Code::sync);
    operation.flags = flags;
    return Await(*io_, operation);
}

Await File::allocate(uint64_t position, uint64_t length) const {
    auto operation = of(Code::allocate);
    operation.position = position;
    operation.length = length;
    return Await(*io_, operation);
}

Await File::truncate(uint64_t length) const {
    auto operation = of(Code::truncate);
    operation.length = length;
    return Await(*io_, operation);
}

Await File::lock() const { return Await(*io_, of(Code::lock)); }

Task<Result<FileStatus>> File::status() const {
    FileStatus status;
    auto operation = of(Code::status);
    operation.out = &status;
    auto done = co_await Await(*io_, operation);
    CO_CHECKED(done);
    co_return status;
}

Task<Result<>> File::close() {
    auto operation = of(Code::close);
    descriptor_ = -1;
    auto done = co_await Await(*io_, operation);
    CO_CHECKED(done);
    co_return Result<>{};
}

std::string directory_of(const std::string& path) {
    auto end = path.find_last_not_of('/');
    if (end == std::string::npos) return path.empty() ? "." : "/";
    auto slash = path.find_last_of('/', end);
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Task<Result<FileStatus>> status_of(Io& io, std::string path) {
    FileStatus status;
    Operation operation(Code::status);
    operation.path = path.c_str();
    operation.out = &status;
    auto done = co_await Await(io, operation);
    CO_CHECKED(done);
    co_return status;
}

Task<Result<bool>> path_exists(Io& io, std::string path) {
    auto status = co_await status_of(io, std::move(path));
    if (!status && status.error() != Errc::not_found) co_return fail(status.error());
    co_return status.has_value();
}

Task<Result<FileSystemSpace>> space_of(Io& io, std::string path) {
    FileSystemSpace space;
    Operation operation(Code::space);
    operation.path = path.c_str();
    operation.out = &space;
    auto done = co_await Await(io, operation);
    CO_CHECKED(done);
    co_return space;
}

Task<Result<std::vector<DirectoryEntry>>> list(Io& io, std::string path) {
    std::vector<DirectoryEntry> entries;
    Operation operation(Code::list_directory);
    operation.path = path.c_str();
    operation.out = &entries;
    auto done = co_await Await(io, operation);
    CO_CHECKED(done);
    std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.name < b.name; });
    co_return std::move(entries);
}

Task<Result<std::vector<std::byte>>> read_file(Io& io, std::string path, size_t bytes_max) {
    CO_TRY(auto file, co_await File::open(io, std::move(path), flag::read_only));
    CO_TRY(auto status, co_await file.status());
    std::vector<std::byte> bytes(std::min<size_t>(status.size, bytes_max));
    size_t size = 0;
    while (size < bytes_max) {
        if (size == bytes.size()) bytes.resize(std::min(size + 4096, bytes_max));  // It may have grown, or be of a kind that has no size.
        CO_TRY(auto count, co_await file.read_at(MutableBytes(bytes).subspan(size), size));
        if (count == 0) break;
        size += count;
    }
    bytes.resize(size);
    CO_CHECKED(co_await file.close());
    co_return std::move(bytes);
}

Task<Result<>> write_file_atomically(Io& io, std::string path, Bytes bytes) {
    std::string temporary = path + ".tmp";
    CO_TRY(auto file, co_await File::open(io, temporary, flag::write | flag::create | flag::truncate));
    CO_CHECKED(co_await file.write_all(bytes, 0));
    auto synced = co_await file.sync();
    CO_CHECKED(synced);
    CO_CHECKED(co_await file.close());
    co_return co_await rename_durably(io, std::move(temporary), std::move(path));
}

Task<Result<>> sync_directory(Io& io, std::string path) {
    CO_TRY(auto directory, co_await File::open(io, std::move(path), flag::directory));
    auto synced = co_await directory.sync();
    CO_CHECKED(synced);
    co_return co_await directory.close();
}

Task<Result<>> rename(Io& io, std::string from, std::string to) {
    Operation operation(Code::rename);
    operation.path = from.c_str();
    operation.other_path = to.c_str();
    auto done = co_await Await(io, operation);
    CO_CHECKED(done);
    co_return Result<>{};
}

Task<Result<>> rename_durably(Io& io, std::string from, std::string to) {
    auto target = directory_of(to);
    auto source = directory_of(from);
    CO_CHECKED(co_await rename(io, std::move(from), std::move(to)));
    CO_CHECKED(co_await sync_directory(io, target));
    if (source != target) CO_CHECKED(co_await sync_directory(io, source));
    co_return Result<>{};
}

Task<Result<>> remove(Io& io, std::string path) { return on_path(io, Code::remove, std::move(path)); }

Task<Result<>> make_directories(Io& io, std::string path) {
    auto made = co_await on_path(io, Code::make_directory, path);
    if (!made && made.error() == Errc::not_found) {
        auto parent = directory_of(path);
        if (parent == path) co_return fail(Errc::not_found);
        CO_CHECKED(co_await make_directories(io, parent));
        made = co_await on_path(io, Code::make_directory, path);
    }
    if (!made && made.error() == Errc::exists) {
        CO_TRY(auto status, co_await status_of(io, path));
        if (!status.is_directory) co_return fail(Errc::exists);
        co_return Result<>{};
    }
    CO_CHECKED(made);
    co_return co_await sync_directory(io, directory_of(path));
}

Task<Result<>> remove_tree(Io& io, std::string path) {
    auto entries = co_await list(io, path);
    if (!entries) {
        if (entries.error() == Errc::not_found) co_return Result<>{};
        co_return fail(entries.error());
    }
    for (auto& entry : *entries) {
        std::string inner = path + "/" + entry.name;
        auto removed = entry.is_directory ? remove_tree(io, inner) : remove(io, inner);
        CO_CHECKED(co_await std::move(removed));
    }
    co_return co_await remove(io, std::move(path));
}

}  // namespace rafka::io
