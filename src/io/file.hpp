#pragma once

// Files as the rest of rafka sees them: a descriptor with an owner, and the few things that are done with whole files.
// Everything here works over any Io.

#include <rafka/bytes.hpp>
#include <rafka/io.hpp>
#include <rafka/task.hpp>

#include <span>
#include <string>
#include <vector>

namespace rafka::io {

// Owns an open file. Close it, to hear of errors; the destructor only gives the descriptor back. Requires that nothing
// is in flight when it is closed or destroyed.
class File {
public:
    File() = default;
    File(Io& io, int descriptor) : io_(&io), descriptor_(descriptor) {}
    File(File&& from) noexcept : io_(from.io_), descriptor_(std::exchange(from.descriptor_, -1)) {}
    File& operator=(File&& from) noexcept {
        std::swap(io_, from.io_);
        std::swap(descriptor_, from.descriptor_);
        return *this;
    }
    ~File();

    // `flags`: flag::...
    static Task<Result<File>> open(Io& io, std::string path, uint32_t flags);

    bool is_open() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }
    Io& io() const { return *io_; }

    // One read or write; may be short.
    Await read_at(MutableBytes into, uint64_t position) const;
    Await read_at(std::span<const iovec> into, uint64_t position) const;
    Await write_at(Bytes from, uint64_t position, uint32_t flags = 0) const;
    Await write_at(std::span<const iovec> from, uint64_t position, uint32_t flags = 0) const;

    // Until the buffer is full. Errc::closed: the file ends before.
    Task<Result<>> read_exact(MutableBytes into, uint64_t position) const;
    // Until everything is written.
    Task<Result<>> write_all(Bytes from, uint64_t position, uint32_t flags = 0) const;
    Task<Result<>> write_all(std::span<const iovec> from, uint64_t position, uint32_t flags = 0) const;

    Await sync(uint32_t flags = 0) const;
    Await allocate(uint64_t position, uint64_t length) const;
    Await truncate(uint64_t length) const;
    Await lock() const;
    Task<Result<FileStatus>> status() const;
    Task<Result<>> close();

private:
    Operation of(Code code) const;

    Io* io_ = nullptr;
    int descriptor_ = -1;
};

// The parent of a path, "." if it names none.
std::string directory_of(const std::string& path);

Task<Result<FileStatus>> status_of(Io& io, std::string path);
Task<Result<bool>> path_exists(Io& io, std::string path);
Task<Result<FileSystemSpace>> space_of(Io& io, std::string path);
// Sorted by name, without "." and "..".
Task<Result<std::vector<DirectoryEntry>>> list(Io& io, std::string path);

Task<Result<std::vector<std::byte>>> read_file(Io& io, std::string path, size_t bytes_max = SIZE_MAX);
// Whatever happens, `path` afterwards holds the old bytes or the new ones, and on success durably the new ones: by way
// of `path`.tmp, as Kafka does it.
Task<Result<>> write_file_atomically(Io& io, std::string path, Bytes bytes);

// Makes a directory's entries durable.
Task<Result<>> sync_directory(Io& io, std::string path);
// Replaces `to`; durable when done.
Task<Result<>> rename_durably(Io& io, std::string from, std::string to);
Task<Result<>> rename(Io& io, std::string from, std::string to);
// A file or an empty directory.
Task<Result<>> remove(Io& io, std::string path);
// With its parents, each made durable in its own; what stands already is fine.
Task<Result<>> make_directories(Io& io, std::string path);
// A directory with everything in it. Not an error if it is not there.
Task<Result<>> remove_tree(Io& io, std::string path);

}  // namespace rafka::io
