#pragma once

// Sets up a log directory as Kafka's `StorageTool format --standalone` does for a node that is both broker and the
// only controller, so that Kafka can start on it; and reads what such a directory says of itself.

#include "metadata/image.hpp"

#include <rafka/io.hpp>
#include <rafka/task.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::metadata {

// meta.properties
struct DirectoryIdentity {
    std::string cluster_id;     // Text: usually a uuid, but older clusters may have anything.
    int32_t node_id = -1;
    Uuid directory_id;

    friend bool operator==(const DirectoryIdentity&, const DirectoryIdentity&) = default;
};

struct FormatOptions {
    std::string directory;
    int32_t node_id = 1;
    std::optional<std::string> cluster_id;       // nullopt: a new random one.
    std::vector<Endpoint> controller_endpoints;  // At least one: what the voters record says.

    FormatOptions() {}
};

// Formats the directory if it has no meta.properties, creating it if need be; meta.properties comes last, so that an
// interrupted format is begun again. Otherwise reads it. Errc::malformed when the file says something else than it may,
// Errc::invalid_argument when it belongs to another node or cluster than the options name; `problem` then receives a
// sentence.
Task<Result<DirectoryIdentity>> format_if_needed(Io& io, FormatOptions options, std::string* problem = nullptr);

// Errc::not_found: the directory is not formatted.
Task<Result<DirectoryIdentity>> read_identity(Io& io, std::string directory, std::string* problem = nullptr);

// A random (version 4) uuid that Kafka would give: its text does not begin with a dash.
Uuid random_uuid(Io& io);

}  // namespace rafka::metadata
