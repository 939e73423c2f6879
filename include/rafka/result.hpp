#pragma once

// Expected failures are values. Context (file, offset, errno) is logged once where it is known; what travels upward
// is one of these. Kafka's error codes exist only above the engine, and protocol/errors.cpp maps each of these to one.

#include <tl/expected.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace rafka {

enum class Errc : uint8_t {
    // Of bytes.
    malformed = 1,        // Does not parse.
    corrupt_batch,        // Length, magic or CRC of a batch is wrong.
    invalid_record,       // Parses, but a record or the batch's claims about its records are not allowed.
    unsupported_codec,    // Unknown compression, or one that this request's version may not use.
    too_large,            // Over a limit that is named where it is returned.
    invalid_timestamp,    // Outside message.timestamp.before.max.ms / after.max.ms.
    // Of a partition.
    offset_out_of_range,
    out_of_order_sequence,
    invalid_producer_epoch,
    fenced_leader_epoch,
    unknown_leader_epoch,
    unknown_partition,    // No such log, or it is being deleted.
    storage_offline,      // A write or sync of this partition failed; it takes no more until a restart.
    // Of the machine.
    not_found,
    exists,
    permission,
    read_only,
    disk_full,
    too_many_files,
    no_memory,
    io_error,
    locked,               // Another process holds the log directory.
    unsupported,          // The kernel or the file system does not do this.
    invalid_argument,
    address_in_use,
    connection_reset,     // The peer went away, in whichever way.
    closed,               // End of stream, or the object is being closed.
    canceled,
    timed_out,
};

std::string_view to_text(Errc errc);  // In src/io/errc.cpp: a short phrase, for log lines.

template <class T = void>
using Result = tl::expected<T, Errc>;

inline tl::unexpected<Errc> fail(Errc errc) { return tl::unexpected<Errc>(errc); }

}  // namespace rafka

#define RAFKA_CONCAT_(a, b) a##b
#define RAFKA_CONCAT(a, b) RAFKA_CONCAT_(a, b)
#define RAFKA_TRY_(leave, result, declaration, ...)                        \
    auto result = (__VA_ARGS__);                                           \
    if (!result) [[unlikely]] leave ::rafka::fail(result.error());         \
    declaration = std::move(*result)

// Passes a failure on, or names the value. TRY leaves an ordinary function, CO_TRY a coroutine; CHECKED and
// CO_CHECKED are for a Result without a value.
#define TRY(declaration, ...) RAFKA_TRY_(return, RAFKA_CONCAT(try_, __COUNTER__), declaration, __VA_ARGS__)
#define CO_TRY(declaration, ...) RAFKA_TRY_(co_return, RAFKA_CONCAT(try_, __COUNTER__), declaration, __VA_ARGS__)
#define CHECKED(...)                                                                                    \
    if (auto checked = (__VA_ARGS__); !checked) [[unlikely]] return ::rafka::fail(checked.error())
#define CO_CHECKED(...)                                                                                 \
    if (auto checked = (__VA_ARGS__); !checked) [[unlikely]] co_return ::rafka::fail(checked.error())
