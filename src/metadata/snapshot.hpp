#pragma once

// Snapshots of the metadata log: END_OFFSET-EPOCH.checkpoint in its directory. A file of batches: a control batch with the
// header, then the image's records, then a control batch with the footer. What a snapshot does not mention is not.

#include "metadata/delta.hpp"
#include "metadata/quorum.hpp"
#include "metadata/record_list.hpp"
#include "metadata/record_versions.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rafka::metadata {

inline constexpr std::string_view snapshot_suffix = ".checkpoint";
inline constexpr std::string_view snapshot_part_suffix = ".checkpoint.part";

// A snapshot contains the records below end_offset, the last of them written in that epoch.
struct SnapshotId {
    Offset end_offset;
    LeaderEpoch epoch = 0;

    friend auto operator<=>(const SnapshotId&, const SnapshotId&) = default;
};
std::string snapshot_name(const SnapshotId& id);  // Without a suffix.
std::optional<SnapshotId> snapshot_id_of(std::string_view file_name);

// The records that make an empty image this one, features first, in versions its metadata.version allows.
void add_records(const Image& image, RecordList& records);

void add_record(const Broker& broker, const RecordVersions& versions, RecordList& records);
void add_record(const ControllerRegistration& controller, const RecordVersions& versions, RecordList& records);

// Data batches of at most about a MiB each. Offsets begin at `base`.
std::vector<std::byte> data_batches(const RecordList& records, Offset base, LeaderEpoch epoch, Timestamp now);

std::vector<std::byte> snapshot_file(const Image& image, const Quorum& quorum, LeaderEpoch epoch, Timestamp now);
// The file the formatter leaves for the first start: records without an image around them.
std::vector<std::byte> bootstrap_file(const RecordList& records, Timestamp now);

// Applies a whole file: checks every batch, and that header and footer are there. On failure `problem` says why.
Result<> read_snapshot(Bytes file, Quorum& quorum, Applier& applier, std::string& problem);

// The records of a bootstrap file, framed.
Result<RecordList> read_bootstrap(Bytes file);

}  // namespace rafka::metadata
