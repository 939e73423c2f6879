#include "coordinator/classic_group.hpp"

#include "base/assert.hpp"
#include "base/endian.hpp"
#include "protocol/records/groups.hpp"

#include <algorithm>

namespace rafka::coordinator {

namespace {

constexpr int16_t value_version = 3;  // As Kafka 4.3 writes.

Blob blob(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

std::optional<std::string> text(std::optional<std::string_view> view) {
    if (!view) return std::nullopt;
    return std::string(*view);
}

// Topics of a ConsumerProtocolSubscription: int16 version, an int32 count, int16 lengths. Later fields do not matter.
bool read_topics(Bytes metadata, std::set<std::string>& topics) {
    if (metadata.size() < 6) return false;
    auto count = load_be<int32_t>(metadata.data() + 2);
    metadata = metadata.subspan(6);
    for (; count > 0; --count) {
        if (metadata.size() < 2) return false;
        auto size = load_be<int16_t>(metadata.data());
        if (size < 0 || size_t(size) > metadata.size() - 2) return false;
        topics.emplace(as_text(metadata.subspan(2, size_t(size))));
        metadata = metadata.subspan(2 + size_t(size));
    }
    return true;
}

}  // namespace

std::string_view to_text(ClassicState state) {
    switch (state) {
        case ClassicState::empty: return "Empty";
        case ClassicState::preparing_rebalance: return "PreparingRebalance";
        case ClassicState::completing_rebalance: return "CompletingRebalance";
        case ClassicState::stable: return "Stable";
        case ClassicState::dead: return "Dead";
    }
    UNREACHABLE();
}

ClassicGroup::ClassicGroup(std::string id, const Options& options, Timestamp now)
    : id_(std::move(id)), options_(options), state_since_(now) {}

void ClassicGroup::become(ClassicState state, Timestamp now) {
    previous_state_ = std::exchange(state_, state);
    state_since_ = now;
}

// ---- What is stored

Result<> ClassicGroup::load(Bytes bytes, Now now) {
    wire::Arena arena;
    TRY(auto value, protocol::read_group_value<protocol::GroupMetadataValue>(bytes, arena));
    generation_ = value.generation;
    protocol_type_.reset();
    if (!value.protocol_type.empty()) protocol_type_ = value.protocol_type;
    protocol_name_ = text(value.protocol);
    leader_ = text(value.leader);
    state_since_ = value.current_state_timestamp;
    state_ = value.members.empty() ? ClassicState::empty : ClassicState::stable;
    previous_state_ = ClassicState::dead;
    members_.clear();
    static_members_.clear();
    protocol_counts_.clear();
    for (auto& stored : value.members) {
        ClassicMember member;
        member.instance_id = text(stored.group_instance_id);
        member.client_id = stored.client_id;
        member.client_host = stored.client_host;
        member.session_timeout_ms = stored.session_timeout;
        member.rebalance_timeout_ms = stored.rebalance_timeout == -1 ? stored.session_timeout : stored.rebalance_timeout;
        member.protocols.push_back({protocol_name_.value_or(""), blob(stored.subscription)});
        member.assignment = blob(stored.assignment);
        insert(std::string(stored.member_id), std::move(member), nullptr);
    }
    is_stored_ = true;
    find_subscribed_topics();
    restart_sessions(now.instant);
    return {};
}

void ClassicGroup::restart_sessions(Instant now) {
    for (auto& [id, member] : members_) set_deadline(member, member.session_timeout_ms, now);
}

Blob ClassicGroup::value_with(const std::map<std::string, Blob>& assignments) const {
    std::vector<protocol::GroupMetadataValue::Member> members;
    for (auto& [id, member] : members_) {
        auto& stored = members.emplace_back();
        stored.member_id = id;
        if (member.instance_id) stored.group_instance_id = *member.instance_id;
        stored.client_id = member.client_id;
        stored.client_host = member.client_host;
        stored.rebalance_timeout = member.rebalance_timeout_ms;
        stored.session_timeout = member.session_timeout_ms;
        if (auto* metadata = member.metadata_of(protocol_name_.value_or(""))) stored.subscription = *metadata;
        if (auto found = assignments.find(id); found != assignments.end()) stored.assignment = found->second;
    }
    protocol::GroupMetadataValue value;
    value.protocol_type = protocol_type_ ? *protocol_type_ : std::string_view();
    value.generation = generation_;
    if (protocol_name_) value.protocol = *protocol_name_;
    if (leader_) value.leader = *leader_;
    value.current_state_timestamp = state_since_;
    value.members = members;
    wire::Payload out;
    protocol::write_group_value(out, value, value_version);
    return out.copy();
}

void ClassicGroup::push_write(GroupWrite write) {
    write.generation = generation_;
    if (write.why == GroupWrite::Why::new_group) {
        // Whoever joined may be lost again: a group that is only known by name has no members.
        protocol::GroupMetadataValue value;
        value.current_state_timestamp = state_since_;
        wire::Payload out;
        protocol::write_group_value(out, value, value_version);
        write.value = out.copy();
    } else {
        write.value = value_with(write.assignments);
    }
    writes_.push_back(std::move(write));
}

// ---- Members

ClassicMember& ClassicGroup::insert(std::string id, ClassicMember member, JoinTicket* ticket) {
    if (member.instance_id) static_members_[*member.instance_id] = id;
    if (!leader_) leader_ = id;
    count_protocols(member, 1);
    pending_joins_.erase(id);
    auto [place, is_new] = members_.emplace(std::move(id), std::move(member));
    ASSERT(is_new);
    if (ticket) {
        place->second.awaits_join = true;
        place->second.join = ticket;
        ++awaiting_join_;
    }
    return place->second;
}

void ClassicGroup::remove(std::string_view member_id) {
    if (auto found = members_.find(member_id); found != members_.end()) {
        auto& member = found->second;
        JoinAnswer gone;
        gone.error = GroupError::unknown_member_id;
        answer_join(member, std::move(gone));
        SyncAnswer gone_too;
        gone_too.error = GroupError::unknown_member_id;
        answer_sync(member, std::move(gone_too));
        count_protocols(member, -1);
        if (member.instance_id) static_members_.erase(*member.instance_id);
        members_.erase(found);
    }
    if (is_leader(member_id)) {
        leader_.reset();
        if (!members_.empty()) leader_ = members_.begin()->first;
    }
    if (auto pending = pending_joins_.find(member_id); pending != pending_joins_.end()) pending_joins_.erase(pending);
    if (auto pending = pending_syncs_.find(member_id); pending != pending_syncs_.end()) pending_syncs_.erase(pending);
}

GroupError ClassicGroup::check_member(std::string_view member_id, std::optional<std::string_view> instance_id) const {
    if (instance_id) {
        auto known = static_members_.find(*instance_id);
        if (known == static_members_.end()) return GroupError::unknown_member_id;
        if (known->second != member_id) return GroupError::fenced_instance_id;
    }
    return members_.contains(member_id) ? GroupError::none : GroupError::unknown_member_id;
}

void ClassicGroup::count_protocols(const ClassicMember& member, int by) {
    for (auto& known : member.protocols) protocol_counts_[known.name] += by;
}

bool ClassicGroup::supports(std::string_view type, std::span<const ClassicProtocol> protocols) const {
    if (state_ == ClassicState::empty) return !type.empty() && !protocols.empty();
    if (protocol_type_ != type) return false;
    return std::ranges::any_of(protocols, [&](auto& known) {
        auto count = protocol_counts_.find(known.name);
        return (count == protocol_counts_.end() ? 0 : count->second) == int(members_.size());
    });
}

// Each member votes for the first of its protocols that all know; most votes win.
std::string ClassicGroup::select_protocol() const {
    std::map<std::string_view, size_t> votes;
    for (auto& [id, member] : members_) {
        auto vote = std::ranges::find_if(member.protocols, [&](auto& known) {
            return protocol_counts_.at(known.name) == int(members_.size());
        });
        if (vote != member.protocols.end()) ++votes[vote->name];
    }
    auto winner = std::ranges::max_element(votes, {}, [](auto& vote) { return vote.second; });
    return winner == votes.end() ? std::string() : std::string(winner->first);
}

void ClassicGroup::find_subscribed_topics() {
    subscribed_topics_.reset();
    if (!uses_consumer_protocol()) return;
    std::set<std::string> topics;
    for (auto& [id, member] : members_) {
        auto* metadata = member.metadata_of(protocol_name_.value_or(""));
        if (!metadata || !read_topics(*metadata, topics)) return;
    }
    subscribed_topics_ = std::move(topics);
}

int32_t ClassicGroup::rebalance_timeout_ms() const {
    int32_t longest = 0;
    for (auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout_ms);
    return longest;
}

// ---- Answers and sessions

void ClassicGroup::answer_join(ClassicMember& member, JoinAnswer answer) {
    if (!member.awaits_join) return;
    member.awaits_join = false;
    --awaiting_join_;
    auto* ticket = std::exchange(member.join, nullptr);
    if (!ticket) return;
    ticket->answer = std::move(answer);
    if (ticket->answered) ticket->answered(*ticket);
}

void ClassicGroup::answer_sync(ClassicMember& member, SyncAnswer answer) {
    if (!member.awaits_sync) return;
    member.awaits_sync = false;
    auto* ticket = std::exchange(member.sync, nullptr);
    if (!ticket) return;
    ticket->answer = std::move(answer);
    if (ticket->answered) ticket->answered(*ticket);
}

void ClassicGroup::forget(const JoinTicket& ticket) {
    for (auto& [id, member] : members_) {
        if (member.join == &ticket) member.join = nullptr;
    }
}

void ClassicGroup::forget(const SyncTicket& ticket) {
    for (auto& [id, member] : members_) {
        if (member.sync == &ticket) member.sync = nullptr;
    }
}

void ClassicGroup::set_deadline(ClassicMember& member, int32_t ms, Instant now) {
    member.deadline = now + std::chrono::milliseconds(ms);
    first_deadline_ = std::min(first_deadline_, member.deadline);
}

Instant ClassicGroup::next_deadline() const { return std::min({first_deadline_, join_deadline_, sync_deadline_}); }

GroupError ClassicGroup::heartbeat(std::string_view member_id, std::optional<std::string_view> instance_id, int32_t generation,
                                   Now now) {
    if (state_ == ClassicState::dead) return GroupError::coordinator_not_available;
    if (auto error = check_member(member_id, instance_id); error != GroupError::none) return error;
    if (generation != generation_) return GroupError::illegal_generation;
    auto& member = members_.find(member_id)->second;
    set_deadline(member, member.session_timeout_ms, now.instant);
    return state_ == ClassicState::preparing_rebalance ? GroupError::rebalance_in_progress : GroupError::none;
}

std::vector<GroupError> ClassicGroup::leave(std::span<const Leaver> leavers, Now now) {
    if (state_ == ClassicState::dead) return std::vector(leavers.size(), GroupError::coordinator_not_available);
    std::vector<GroupError> answers;
    bool somebody_left = false;
    for (auto& leaver : leavers) {
        auto member_id = std::string(leaver.member_id);
        auto error = GroupError::none;
        if (member_id.empty()) {  // An operator removes a static member by its instance.
            auto known = leaver.instance_id ? static_members_.find(*leaver.instance_id) : static_members_.end();
            if (known == static_members_.end()) error = GroupError::unknown_member_id;
            else member_id = known->second;
        } else if (!pending_joins_.contains(member_id)) {
            error = check_member(member_id, leaver.instance_id);
        }
        if (error == GroupError::none) {
            remove(member_id);
            somebody_left = true;
        }
        answers.push_back(error);
    }
    if (somebody_left) {
        if (state_ == ClassicState::preparing_rebalance) complete_join_if_all_joined(now);
        else rebalance_if_possible(now);
    }
    return answers;
}

void ClassicGroup::die(GroupError error) {
    state_ = ClassicState::dead;
    for (auto& [id, member] : members_) {
        JoinAnswer joined;
        joined.error = error;
        joined.member_id = id;
        answer_join(member, std::move(joined));
        SyncAnswer synced;
        synced.error = error;
        answer_sync(member, std::move(synced));
    }
    first_deadline_ = join_deadline_ = sync_deadline_ = never;
    writes_.clear();
}

// ---- Offsets

GroupError ClassicGroup::may_commit(std::string_view member_id, std::optional<std::string_view> instance_id, int32_t generation,
                                    bool is_transactional) const {
    if (state_ == ClassicState::dead) return GroupError::coordinator_not_available;
    if (generation < 0 && state_ == ClassicState::empty) return GroupError::none;
    if (generation >= 0 || !member_id.empty() || instance_id) {
        if (auto error = check_member(member_id, instance_id); error != GroupError::none) return error;
        if (generation != generation_) return GroupError::illegal_generation;
    } else if (!is_transactional && state_ != ClassicState::empty) {
        return GroupError::unknown_member_id;
    }
    // The member has the new generation, and its assignment not yet.
    if (!is_transactional && state_ == ClassicState::completing_rebalance) return GroupError::rebalance_in_progress;
    return GroupError::none;
}

GroupError ClassicGroup::may_delete_offsets() const {
    if (state_ == ClassicState::dead) return GroupError::group_id_not_found;
    if (state_ == ClassicState::empty || uses_consumer_protocol()) return GroupError::none;
    return GroupError::non_empty_group;
}

// As ClassicGroup.offsetExpirationCondition.
OffsetExpiry ClassicGroup::offset_expiry() const {
    OffsetExpiry expiry;
    if (subscribed_topics_) expiry.kept = &*subscribed_topics_;
    if (!protocol_type_) {
        expiry.any = true;  // Nobody but the commits themselves.
    } else if (state_ == ClassicState::empty) {
        expiry.any = true;
        if (state_since_ != no_timestamp) expiry.empty_since = state_since_;
    } else {
        expiry.any = state_ == ClassicState::stable && subscribed_topics_;
    }
    return expiry;
}

GroupError ClassicGroup::may_be_deleted() const {
    if (state_ == ClassicState::dead) return GroupError::group_id_not_found;
    return state_ == ClassicState::empty ? GroupError::none : GroupError::non_empty_group;
}

}  // namespace rafka::coordinator
