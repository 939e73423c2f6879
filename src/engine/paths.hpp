#pragma once

// Names of files and directories in a log directory (Kafka's LogFileUtils and LocalLog).

#include <rafka/types.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace rafka::engine {

inline constexpr std::string_view log_suffix = ".log";
inline constexpr std::string_view index_suffix = ".index";
inline constexpr std::string_view time_index_suffix = ".timeindex";
inline constexpr std::string_view transaction_index_suffix = ".txnindex";
inline constexpr std::string_view snapshot_suffix = ".snapshot";
// Behind those: states of the replacement protocol.
inline constexpr std::string_view deleted_suffix = ".deleted";
inline constexpr std::string_view cleaned_suffix = ".cleaned";
inline constexpr std::string_view swap_suffix = ".swap";
inline constexpr std::string_view temporary_suffix = ".tmp";

// No batch that begins at or below it reaches beyond what 64 bits hold; what claims a greater offset is damaged.
inline constexpr Offset offset_max{std::numeric_limits<int64_t>::max() - std::numeric_limits<int32_t>::max() - 1};

// 20 digits and the suffix: 00000000000000000042.log. Requires offset >= 0.
std::string file_name(Offset offset, std::string_view suffix);

// A file name that begins with an offset, taken apart. `suffix` is everything from the first dot on.
struct OffsetFile {
    Offset offset;
    std::string_view suffix;
};
std::optional<OffsetFile> offset_file_of(std::string_view name);

enum class DirectoryState : uint8_t { live, deleted, future, stray };

// A partition's directory: TOPIC-PARTITION, and for those that are not live .UUID and -delete, -future or -stray behind.
struct PartitionDirectory {
    std::string topic;
    int32_t partition = 0;
    DirectoryState state = DirectoryState::live;
};
// Nothing if Kafka would not start on a directory of that name.
std::optional<PartitionDirectory> partition_directory_of(std::string_view name);
std::string partition_directory(std::string_view topic, int32_t partition);
// `unique` is a random id. At most 255 bytes: the topic is cut where it must be. Requires a state other than live.
std::string partition_directory(std::string_view topic, int32_t partition, DirectoryState state, const Uuid& unique);

}  // namespace rafka::engine
