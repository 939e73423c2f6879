#include "io/blocking.hpp"

#include "base/assert.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

namespace rafka::io {
namespace {

int32_t outcome(int64_t result) { return result < 0 ? -errno : int32_t(result); }

template <class Call>
int32_t repeat(Call call) {
    for (;;) {
        auto result = call();
        if (result >= 0 || errno != EINTR) return outcome(result);
    }
}

int vectors(const Operation& operation) { return int(std::min<size_t>(operation.buffers.size(), IOV_MAX)); }

int32_t list_directory(const Operation& operation) {
    auto& out = *static_cast<std::vector<DirectoryEntry>*>(operation.out);
    auto* directory = opendir(operation.path);
    if (directory == nullptr) return -errno;
    for (;;) {
        errno = 0;
        auto* entry = readdir(directory);
        if (entry == nullptr) break;
        std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        bool is_directory = entry->d_type == DT_DIR;
        if (entry->d_type == DT_UNKNOWN) {
            struct stat status;
            is_directory = fstatat(dirfd(directory), entry->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
        }
        out.push_back({std::string(name), is_directory});
    }
    int32_t result = -errno;
    closedir(directory);
    std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.name < b.name; });
    return result;
}

// For kernels and file systems that do not tell: whether an open with O_DIRECT is refused.
bool opens_direct(const Operation& operation) {
    char by_descriptor[32];
    const char* path = operation.path;
    if (path == nullptr) {
        std::snprintf(by_descriptor, sizeof by_descriptor, "/proc/self/fd/%d", operation.file);
        path = by_descriptor;
    }
    int file = ::open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (file >= 0) ::close(file);
    return file >= 0;
}

int32_t status(const Operation& operation) {
    auto& out = *static_cast<FileStatus*>(operation.out);
    unsigned wanted = STATX_BASIC_STATS;
#ifdef STATX_DIOALIGN
    wanted |= STATX_DIOALIGN;
#endif
    struct statx found;
    bool by_path = operation.path != nullptr;
    int result = statx(by_path ? AT_FDCWD : operation.file, by_path ? operation.path : "", by_path ? 0 : AT_EMPTY_PATH,
                       wanted, &found);
    if (result < 0) return -errno;
    out.size = found.stx_size;
    out.allocated_bytes = found.stx_blocks * 512;
    out.modified.ms = found.stx_mtime.tv_sec * 1000 + found.stx_mtime.tv_nsec / 1'000'000;
    out.is_directory = S_ISDIR(found.stx_mode);
    if (out.is_directory) return 0;
#ifdef STATX_DIOALIGN
    if (found.stx_mask & STATX_DIOALIGN) {
        out.direct_memory_alignment = found.stx_dio_mem_align;
        out.direct_offset_alignment = found.stx_dio_offset_align;
        return 0;
    }
#endif
    if (S_ISREG(found.stx_mode) && opens_direct(operation)) {
        out.direct_memory_alignment = out.direct_offset_alignment = 4096;
    }
    return 0;
}

int32_t space(const Operation& operation) {
    struct statvfs found;
    if (statvfs(operation.path, &found) < 0) return -errno;
    auto& out = *static_cast<FileSystemSpace*>(operation.out);
    out.total_bytes = uint64_t(found.f_blocks) * found.f_frsize;
    out.usable_bytes = uint64_t(found.f_bavail) * found.f_frsize;
    return 0;
}

// A record lock belongs to the process and goes when the process closes any descriptor of the file.
int32_t lock(const Operation& operation) {
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (fcntl(operation.file, F_SETLK, &whole) == 0) return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

int32_t remove(const Operation& operation) {
    if (::unlink(operation.path) == 0) return 0;
    if (errno == EISDIR || errno == EPERM) return outcome(::rmdir(operation.path));
    return -errno;
}

}  // namespace

int open_flags(uint32_t flags) {
    int result = O_CLOEXEC | (flags & flag::write ? O_RDWR : O_RDONLY);
    if (flags & flag::create) result |= O_CREAT;
    if (flags & flag::direct) result |= O_DIRECT;
    if (flags & flag::directory) result |= O_DIRECTORY;
    if (flags & flag::truncate) result |= O_TRUNC;
    if (flags & flag::exclusive) result |= O_EXCL;
    return result;
}

int write_flags(uint32_t flags) {
    return (flags & flag::durable ? RWF_DSYNC : 0) | (flags & flag::no_wait ? RWF_NOWAIT : 0);
}

int32_t perform(const Operation& operation) {
    switch (operation.code) {
        case Code::open:
            return repeat([&] { return ::open(operation.path, open_flags(operation.flags), open_mode); });
        case Code::close:
            return outcome(::close(operation.file));  // Never repeated: the descriptor is gone either way.
        case Code::read:
            return repeat([&] {
                return preadv(operation.file, operation.buffers.data(), vectors(operation), off_t(operation.position));
            });
        case Code::write:
            return repeat([&] {
                return pwritev2(operation.file, operation.buffers.data(), vectors(operation), off_t(operation.position),
                                write_flags(operation.flags));
            });
        case Code::sync:
            return repeat([&] {
                return operation.flags & flag::data_only ? fdatasync(operation.file) : fsync(operation.file);
            });
        case Code::allocate:
            return repeat([&] {
                return fallocate(operation.file, 0, off_t(operation.position), off_t(operation.length));
            });
        case Code::truncate:
            return repeat([&] { return ftruncate(operation.file, off_t(operation.length)); });
        case Code::rename: return outcome(::rename(operation.path, operation.other_path));
        case Code::remove: return remove(operation);
        case Code::make_directory: return outcome(::mkdir(operation.path, directory_mode));
        case Code::list_directory: return list_directory(operation);
        case Code::status: return status(operation);
        case Code::space: return space(operation);
        case Code::lock: return lock(operation);
        case Code::listen: case Code::accept: case Code::connect: case Code::receive: case Code::send:
        case Code::shutdown: break;
    }
    UNREACHABLE();
}

}  // namespace rafka::io
