#pragma once

// The committed offsets of the groups of one partition of __consumer_offsets: what its records say. A pure structure: the
// records to be appended are made here, and what was appended or read comes back by replay, in the log's order.
//
// Offsets of a transaction count when its marker says commit; until then they only make those partitions unstable.

#include "coordinator/classic_member.hpp"

#include <rafka/bytes.hpp>
#include <rafka/result.hpp>
#include <rafka/types.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rafka::coordinator {

struct CommittedOffset {
    Offset offset;
    LeaderEpoch leader_epoch = -1;
    std::string metadata;
    Timestamp committed;
    Timestamp expires = no_timestamp;  // Only clients before OffsetCommit version 5 say so.
    Uuid topic_id;                     // Zero: committed by a name only.
    Offset record_offset;              // Where in __consumer_offsets it stands.

    friend bool operator==(const CommittedOffset&, const CommittedOffset&) = default;
};

using PartitionOffsets = std::map<int32_t, CommittedOffset>;
using TopicOffsets = std::map<std::string, PartitionOffsets, std::less<>>;

struct TopicPartition {
    std::string topic;
    int32_t partition = 0;

    friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// How offsets of a group grow old (KIP-211).
struct OffsetExpiry {
    bool any = false;                             // The group is at work and its topics are unknown: none does.
    std::optional<Timestamp> empty_since;         // Age begins here, not with the commit.
    const std::set<std::string>* kept = nullptr;  // Topics that somebody subscribes to.
};

// A record of __consumer_offsets. An empty value deletes.
struct OffsetRecord {
    Blob key;
    Blob value;
};
OffsetRecord offset_record(std::string_view group, std::string_view topic, int32_t partition, const CommittedOffset& offset);
OffsetRecord offset_tombstone(std::string_view group, std::string_view topic, int32_t partition);

class Offsets {
public:
    // One record, of a producer in a transaction or of none (-1). Errors: malformed, unsupported.
    Result<> replay(Offset record_offset, int64_t producer_id, std::string_view group, std::string_view topic,
                    int32_t partition, std::optional<Bytes> value);
    void replay_marker(int64_t producer_id, bool commit);

    // Null: none committed.
    const CommittedOffset* find(std::string_view group, std::string_view topic, int32_t partition) const;
    const TopicOffsets* find_group(std::string_view group) const;
    // Whether a transaction that is not over has an offset for it.
    bool is_unstable(std::string_view group, std::string_view topic, int32_t partition) const;
    bool has_open_transactions(std::string_view group) const;
    // What is older than `retention` by now.
    std::vector<TopicPartition> expired(std::string_view group, const OffsetExpiry& expiry, Timestamp now,
                                        std::chrono::milliseconds retention) const;
    // (Group, partition) of offsets of a topic that was deleted; of its namesakes with another id none.
    std::vector<std::pair<std::string, TopicPartition>> of_deleted(std::string_view topic, const Uuid& topic_id) const;
    size_t count() const { return count_; }

private:
    struct TextHash {
        using is_transparent = void;
        size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    using Groups = std::unordered_map<std::string, TopicOffsets, TextHash, std::equal_to<>>;

    static const CommittedOffset* find_in(const Groups& groups, std::string_view group, std::string_view topic, int32_t partition);
    static bool put(Groups& groups, std::string_view group, std::string_view topic, int32_t partition, CommittedOffset offset);
    static bool remove(Groups& groups, std::string_view group, std::string_view topic, int32_t partition);

    Groups groups_;
    std::map<int64_t, Groups> pending_;  // By the producer id of the transaction.
    size_t count_ = 0;
};

}  // namespace rafka::coordinator
