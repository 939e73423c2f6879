#pragma once

// Shows what the files of a log directory hold, in the words of Kafka's DumpLogSegments, so that one script reads both:
// .log and .checkpoint (batches, records), .index and .timeindex (held against the .log beside them), .txnindex,
// .snapshot, and the text files. Only reads; a running broker is not disturbed.

#include <rafka/io.hpp>
#include <rafka/task.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace rafka::engine {

struct DumpOptions {
    bool records = false;   // Records too, not only batches.
    bool contents = false;  // And their keys and values.
    DumpOptions() {}
};

// Receives a line without its end.
using PrintLine = std::function<void(std::string_view line)>;

// A file, or all that is known in a partition's directory, in the order of names. False: something is broken, and a line
// says what. Errors: the file cannot be read (not_found, permission, io_error), or is of no kind that is known (unsupported).
Task<Result<bool>> dump(Io& io, std::string path, DumpOptions options, PrintLine print);

}  // namespace rafka::engine
