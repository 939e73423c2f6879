#pragma once

// Text of the small files of a log directory: offset checkpoints, partition.metadata, the clean-shutdown marker.
// Writing them (to NAME.tmp, sync, rename, sync of the directory) is the caller's.

#include <rafka/result.hpp>
#include <rafka/types.hpp>

#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rafka::engine {

// Names in the root of a log directory.
inline constexpr std::string_view recovery_point_file = "recovery-point-offset-checkpoint";
inline constexpr std::string_view log_start_file = "log-start-offset-checkpoint";
inline constexpr std::string_view high_watermark_file = "replication-offset-checkpoint";
inline constexpr std::string_view cleaner_file = "cleaner-offset-checkpoint";
inline constexpr std::string_view clean_shutdown_file = ".kafka_cleanshutdown";
inline constexpr std::string_view lock_file = ".lock";
inline constexpr std::string_view meta_properties_file = "meta.properties";
// In a partition's directory.
inline constexpr std::string_view leader_epoch_file = "leader-epoch-checkpoint";
inline constexpr std::string_view partition_metadata_file = "partition.metadata";

// A line `topic partition offset` of an offset checkpoint.
struct PartitionOffset {
    std::string topic;
    int32_t partition = 0;
    Offset offset;

    friend bool operator==(const PartitionOffset&, const PartitionOffset&) = default;
};

// The frame all checkpoints share: version 0, count, one line each.
std::string checkpoint_text(std::span<const std::string> lines);
// Nothing at all, or a version alone, is no entries, as Kafka takes it. malformed: another version, a count that does not
// match, or what is not a number.
Result<std::vector<std::string_view>> checkpoint_lines(std::string_view text);

std::string offsets_text(std::span<const PartitionOffset> offsets);
Result<std::vector<PartitionOffset>> offsets_of(std::string_view text);

// `version: 0`, `topic_id: <base64url>`.
std::string partition_metadata_text(const Uuid& topic_id);
Result<Uuid> topic_id_of(std::string_view text);  // malformed for the zero id too.

// {"version":0,"brokerEpoch":N}. A marker that does not parse still counts as one; its epoch is then -1.
std::string clean_shutdown_text(int64_t broker_epoch);
int64_t broker_epoch_of(std::string_view text);

// What stands between white space.
std::vector<std::string_view> words_of(std::string_view line);

// A decimal number and nothing else.
template <class T>
bool parse_number(std::string_view text, T& out) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace rafka::engine
