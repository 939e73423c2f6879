#include "coordinator/offsets.hpp"

#include "protocol/records/groups.hpp"

namespace rafka::coordinator {

namespace {

constexpr int16_t value_version = 4;              // As Kafka 4.3 writes.
constexpr int16_t value_version_with_expiry = 1;  // The only one that can say it.

Blob key_of(std::string_view group, std::string_view topic, int32_t partition) {
    protocol::OffsetCommitKey key;
    key.group = group;
    key.topic = topic;
    key.partition = partition;
    wire::Payload out;
    protocol::write_group_key(out, key);
    return out.copy();
}

}  // namespace

OffsetRecord offset_record(std::string_view group, std::string_view topic, int32_t partition, const CommittedOffset& offset) {
    protocol::OffsetCommitValue value;
    value.offset = offset.offset;
    value.leader_epoch = offset.leader_epoch;
    value.metadata = offset.metadata;
    value.commit_timestamp = offset.committed;
    value.expire_timestamp = offset.expires;
    value.topic_id = offset.topic_id;
    wire::Payload out;
    protocol::write_group_value(out, value, offset.expires == no_timestamp ? value_version : value_version_with_expiry);
    return {key_of(group, topic, partition), out.copy()};
}

OffsetRecord offset_tombstone(std::string_view group, std::string_view topic, int32_t partition) {
    return {key_of(group, topic, partition), {}};
}

Result<> Offsets::replay(Offset record_offset, int64_t producer_id, std::string_view group, std::string_view topic,
                         int32_t partition, std::optional<Bytes> value) {
    if (!value) {
        if (remove(groups_, group, topic, partition)) --count_;
        for (auto& [id, groups] : pending_) remove(groups, group, topic, partition);
        return {};
    }
    wire::Arena arena;
    TRY(auto stored, protocol::read_group_value<protocol::OffsetCommitValue>(*value, arena));
    CommittedOffset offset;
    offset.offset = stored.offset;
    offset.leader_epoch = stored.leader_epoch;
    offset.metadata = stored.metadata;
    offset.committed = stored.commit_timestamp;
    offset.expires = stored.expire_timestamp;
    offset.topic_id = stored.topic_id;
    offset.record_offset = record_offset;
    if (producer_id >= 0) put(pending_[producer_id], group, topic, partition, std::move(offset));
    else if (put(groups_, group, topic, partition, std::move(offset))) ++count_;
    return {};
}

void Offsets::replay_marker(int64_t producer_id, bool commit) {
    auto ended = pending_.extract(producer_id);
    if (ended.empty() || !commit) return;
    for (auto& [group, topics] : ended.mapped()) {
        for (auto& [topic, partitions] : topics) {
            for (auto& [partition, offset] : partitions) {
                // What was committed after it without a transaction is newer, though the marker is newer still.
                auto* known = find(group, topic, partition);
                if (known && known->record_offset >= offset.record_offset) continue;
                if (put(groups_, group, topic, partition, std::move(offset))) ++count_;
            }
        }
    }
}

const CommittedOffset* Offsets::find(std::string_view group, std::string_view topic, int32_t partition) const {
    return find_in(groups_, group, topic, partition);
}

const TopicOffsets* Offsets::find_group(std::string_view group) const {
    auto found = groups_.find(group);
    return found == groups_.end() ? nullptr : &found->second;
}

bool Offsets::is_unstable(std::string_view group, std::string_view topic, int32_t partition) const {
    for (auto& [id, groups] : pending_) {
        if (find_in(groups, group, topic, partition)) return true;
    }
    return false;
}

bool Offsets::has_open_transactions(std::string_view group) const {
    for (auto& [id, groups] : pending_) {
        if (groups.contains(group)) return true;
    }
    return false;
}

std::vector<TopicPartition> Offsets::expired(std::string_view group, const OffsetExpiry& expiry, Timestamp now,
                                             std::chrono::milliseconds retention) const {
    std::vector<TopicPartition> old;
    auto* topics = find_group(group);
    if (!topics || !expiry.any) return old;
    for (auto& [topic, partitions] : *topics) {
        if (expiry.kept && expiry.kept->contains(topic)) continue;
        for (auto& [partition, offset] : partitions) {
            auto since = expiry.empty_since.value_or(offset.committed);
            bool is_old = offset.expires == no_timestamp ? now.ms - since.ms >= retention.count() : now >= offset.expires;
            if (is_old && !is_unstable(group, topic, partition)) old.push_back({topic, partition});
        }
    }
    return old;
}

std::vector<std::pair<std::string, TopicPartition>> Offsets::of_deleted(std::string_view topic, const Uuid& topic_id) const {
    std::vector<std::pair<std::string, TopicPartition>> gone;
    auto look = [&](const Groups& groups) {
        for (auto& [group, topics] : groups) {
            auto found = topics.find(topic);
            if (found == topics.end()) continue;
            for (auto& [partition, offset] : found->second) {
                if (offset.topic_id.is_zero() || offset.topic_id == topic_id) gone.push_back({group, {found->first, partition}});
            }
        }
    };
    look(groups_);
    for (auto& [id, groups] : pending_) look(groups);
    return gone;
}

const CommittedOffset* Offsets::find_in(const Groups& groups, std::string_view group, std::string_view topic, int32_t partition) {
    auto topics = groups.find(group);
    if (topics == groups.end()) return nullptr;
    auto partitions = topics->second.find(topic);
    if (partitions == topics->second.end()) return nullptr;
    auto found = partitions->second.find(partition);
    return found == partitions->second.end() ? nullptr : &found->second;
}

// True: there was none before.
bool Offsets::put(Groups& groups, std::string_view group, std::string_view topic, int32_t partition, CommittedOffset offset) {
    auto topics = groups.find(group);
    if (topics == groups.end()) topics = groups.try_emplace(std::string(group)).first;
    auto partitions = topics->second.find(topic);
    if (partitions == topics->second.end()) partitions = topics->second.try_emplace(std::string(topic)).first;
    return partitions->second.insert_or_assign(partition, std::move(offset)).second;
}

bool Offsets::remove(Groups& groups, std::string_view group, std::string_view topic, int32_t partition) {
    auto topics = groups.find(group);
    if (topics == groups.end()) return false;
    auto partitions = topics->second.find(topic);
    if (partitions == topics->second.end()) return false;
    bool was_there = partitions->second.erase(partition) > 0;
    if (partitions->second.empty()) topics->second.erase(partitions);
    if (topics->second.empty()) groups.erase(topics);
    return was_there;
}

}  // namespace rafka::coordinator
