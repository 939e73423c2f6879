#include "io/errc.hpp"

#include <rafka/io.hpp>

#include <cerrno>

namespace rafka {

Errc errc_of(int error_number) {
    switch (error_number) {
        case ENOENT: case ENOTDIR: case EADDRNOTAVAIL: return Errc::not_found;
        case EEXIST: case ENOTEMPTY: return Errc::exists;
        case EACCES: case EPERM: return Errc::permission;
        case EROFS: return Errc::read_only;
        case ENOSPC: case EDQUOT: case EFBIG: return Errc::disk_full;
        case EMFILE: case ENFILE: return Errc::too_many_files;
        case ENOMEM: case ENOBUFS: return Errc::no_memory;
        case EAGAIN: return Errc::locked;  // Of sockets it never comes this far.
        case ENOSYS: case EOPNOTSUPP: case EAFNOSUPPORT: case EPROTONOSUPPORT: return Errc::unsupported;
        case EINVAL: case EBADF: case ENAMETOOLONG: case EISDIR: case ENOTSOCK: return Errc::invalid_argument;
        case EMSGSIZE: return Errc::too_large;
        case EADDRINUSE: return Errc::address_in_use;
        case ECONNRESET: case ECONNREFUSED: case ECONNABORTED: case EPIPE: case ENOTCONN: case EHOSTUNREACH:
        case ENETUNREACH: case ENETDOWN: case ENETRESET: return Errc::connection_reset;
        case ECANCELED: return Errc::canceled;
        case ETIMEDOUT: case ETIME: return Errc::timed_out;
        default: return Errc::io_error;
    }
}

std::string_view to_text(Errc errc) {
    switch (errc) {
        case Errc::malformed: return "malformed";
        case Errc::corrupt_batch: return "corrupt batch";
        case Errc::invalid_record: return "invalid record";
        case Errc::unsupported_codec: return "unsupported codec";
        case Errc::too_large: return "too large";
        case Errc::invalid_timestamp: return "invalid timestamp";
        case Errc::offset_out_of_range: return "offset out of range";
        case Errc::out_of_order_sequence: return "out-of-order sequence";
        case Errc::invalid_producer_epoch: return "invalid producer epoch";
        case Errc::fenced_leader_epoch: return "fenced leader epoch";
        case Errc::unknown_leader_epoch: return "unknown leader epoch";
        case Errc::unknown_partition: return "unknown partition";
        case Errc::storage_offline: return "storage offline";
        case Errc::not_found: return "not found";
        case Errc::exists: return "exists already";
        case Errc::permission: return "permission denied";
        case Errc::read_only: return "read-only file system";
        case Errc::disk_full: return "disk full (or a quota, or ulimit -f)";
        case Errc::too_many_files: return "too many open files (ulimit -n, LimitNOFILE=)";
        case Errc::no_memory: return "out of memory";
        case Errc::io_error: return "input/output error";
        case Errc::locked: return "locked by another process";
        case Errc::unsupported: return "not supported here";
        case Errc::invalid_argument: return "invalid argument";
        case Errc::address_in_use: return "address in use";
        case Errc::connection_reset: return "connection lost";
        case Errc::closed: return "closed";
        case Errc::canceled: return "canceled";
        case Errc::timed_out: return "timed out";
    }
    return "unknown error";
}

bool io::is_shortage(Errc errc) { return errc == Errc::disk_full || errc == Errc::too_many_files || errc == Errc::no_memory; }

}  // namespace rafka
