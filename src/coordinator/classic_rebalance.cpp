// Joining, the phases of a rebalance, and what ends them.

#include "coordinator/classic_group.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"

#include <algorithm>

namespace rafka::coordinator {

namespace {

void answer(JoinTicket& ticket, JoinAnswer answer) {
    ticket.answer = std::move(answer);
    if (ticket.answered) ticket.answered(ticket);
}

void refuse(JoinTicket& ticket, GroupError error, std::string member_id) {
    JoinAnswer refusal;
    refusal.error = error;
    refusal.member_id = std::move(member_id);
    answer(ticket, std::move(refusal));
}

void answer(SyncTicket& ticket, SyncAnswer answer) {
    ticket.answer = std::move(answer);
    if (ticket.answered) ticket.answered(ticket);
}

bool differs(std::optional<std::string_view> asked, const std::optional<std::string>& known) { return asked && known != *asked; }

Duration ms(int32_t count) { return std::chrono::milliseconds(count); }

}  // namespace

// ---- Join

void ClassicGroup::join(JoinRequest request, JoinTicket& ticket, Now now) {
    auto fresh_member_id = request.member_id.empty() ? request.fresh_member_id : request.member_id;
    if (!accepts(request.member_id)) {
        remove(request.member_id);
        refuse(ticket, GroupError::group_max_size_reached, "");
    } else if (request.member_id.empty()) {
        join_new(request, ticket, now);
    } else {
        join_known(request, ticket, now);
    }
    if (std::exchange(is_stored_, true)) return;
    GroupWrite write;
    write.member_id = std::move(fresh_member_id);
    push_write(std::move(write));
}

bool ClassicGroup::accepts(std::string_view member_id) const {
    auto known = members_.find(member_id);
    switch (state_) {
        case ClassicState::empty:
        case ClassicState::dead: return true;
        case ClassicState::preparing_rebalance:
            return (known != members_.end() && known->second.awaits_join) || awaiting_join_ < options_.members_max;
        case ClassicState::completing_rebalance:
        case ClassicState::stable: return known != members_.end() || members_.size() < options_.members_max;
    }
    UNREACHABLE();
}

void ClassicGroup::join_new(JoinRequest& request, JoinTicket& ticket, Now now) {
    if (state_ == ClassicState::dead) return refuse(ticket, GroupError::coordinator_not_available, "");
    if (!supports(request.protocol_type, request.protocols)) {
        return refuse(ticket, GroupError::inconsistent_group_protocol, "");
    }
    if (request.instance_id) {
        auto known = static_members_.find(*request.instance_id);
        if (known == static_members_.end()) return add_member(request.fresh_member_id, request, ticket, now);
        return replace_static_member(std::string(known->second), request, ticket, now);
    }
    if (!request.knows_member_ids) return add_member(request.fresh_member_id, request, ticket, now);
    // So that a client that times out and tries again is not two members (KIP-394).
    auto deadline = now.instant + ms(request.session_timeout_ms);
    pending_joins_[request.fresh_member_id] = deadline;
    first_deadline_ = std::min(first_deadline_, deadline);
    refuse(ticket, GroupError::member_id_required, request.fresh_member_id);
}

void ClassicGroup::join_known(JoinRequest& request, JoinTicket& ticket, Now now) {
    auto id = request.member_id;
    if (state_ == ClassicState::dead) return refuse(ticket, GroupError::coordinator_not_available, id);
    if (!supports(request.protocol_type, request.protocols)) return refuse(ticket, GroupError::inconsistent_group_protocol, id);
    if (pending_joins_.contains(id)) {
        if (request.instance_id) return refuse(ticket, GroupError::unknown_server_error, id);
        return add_member(id, request, ticket, now);
    }
    std::optional<std::string_view> instance_id;
    if (request.instance_id) instance_id = *request.instance_id;
    if (auto error = check_member(id, instance_id); error != GroupError::none) return refuse(ticket, error, id);

    auto& member = members_.find(id)->second;
    bool is_unchanged = member.protocols == request.protocols;
    // It repeats itself, since the answer was lost; or it is a follower that has nothing new to say.
    if ((state_ == ClassicState::completing_rebalance && is_unchanged) ||
        (state_ == ClassicState::stable && is_unchanged && !is_leader(id))) {
        return answer(ticket, joined(id));
    }
    if (state_ == ClassicState::empty) return refuse(ticket, GroupError::unknown_member_id, id);
    update_member(member, request, &ticket);
    rebalance_if_possible(now);
}

void ClassicGroup::add_member(std::string member_id, JoinRequest& request, JoinTicket& ticket, Now now) {
    ClassicMember member;
    member.instance_id = request.instance_id;
    member.client_id = request.client_id;
    member.client_host = request.client_host;
    member.rebalance_timeout_ms = request.rebalance_timeout_ms;
    member.session_timeout_ms = request.session_timeout_ms;
    member.protocols = std::move(request.protocols);
    member.is_new = true;
    if (state_ == ClassicState::preparing_rebalance && previous_state_ == ClassicState::empty) member_added_ = true;
    if (members_.empty()) protocol_type_ = request.protocol_type;
    auto& added = insert(std::move(member_id), std::move(member), &ticket);
    set_deadline(added, options_.new_member_join_timeout_ms, now.instant);
    rebalance_if_possible(now);
}

void ClassicGroup::update_member(ClassicMember& member, JoinRequest& request, JoinTicket* ticket) {
    count_protocols(member, -1);
    member.protocols = std::move(request.protocols);
    count_protocols(member, 1);
    member.rebalance_timeout_ms = request.rebalance_timeout_ms;
    member.session_timeout_ms = request.session_timeout_ms;
    if (member.join && member.join != ticket) {  // It asks anew, most likely because the connection was lost.
        JoinAnswer outdated;
        outdated.error = GroupError::rebalance_in_progress;
        answer_join(member, std::move(outdated));
    }
    if (ticket && !member.awaits_join) ++awaiting_join_;
    if (!ticket && member.awaits_join) --awaiting_join_;
    member.awaits_join = ticket != nullptr;
    member.join = ticket;
}

// A static member is back without its member id: it gets a new one and keeps the old one's place (KIP-345, KIP-814).
void ClassicGroup::replace_static_member(const std::string& old_id, JoinRequest& request, JoinTicket& ticket, Now now) {
    auto before = members_.find(old_id)->second;
    auto& member = rename_static_member(old_id, request.fresh_member_id);
    set_deadline(member, member.session_timeout_ms, now.instant);
    update_member(member, request, &ticket);

    if (state_ == ClassicState::stable) {
        if (protocol_name_.value_or("") != select_protocol()) return rebalance_if_possible(now);
        GroupWrite write;
        write.why = GroupWrite::Why::static_member;
        write.member_id = request.fresh_member_id;
        write.old_member_id = old_id;
        write.before = std::move(before);
        write.knows_skip_assignment = request.knows_skip_assignment;
        for (auto& [id, each] : members_) write.assignments[id] = each.assignment;
        return push_write(std::move(write));
    }
    if (state_ == ClassicState::completing_rebalance) return prepare_rebalance(now);
    complete_join_if_all_joined(now);
}

// Whoever still waits under the old id is a duplicate and is fenced.
ClassicMember& ClassicGroup::rename_static_member(const std::string& old_id, const std::string& new_id) {
    auto node = members_.extract(old_id);
    ASSERT(!node.empty());
    auto& member = node.mapped();
    JoinAnswer fenced;
    fenced.error = GroupError::fenced_instance_id;
    fenced.member_id = old_id;
    answer_join(member, std::move(fenced));
    SyncAnswer fenced_too;
    fenced_too.error = GroupError::fenced_instance_id;
    answer_sync(member, std::move(fenced_too));
    member.is_new = false;
    node.key() = new_id;
    if (is_leader(old_id)) leader_ = new_id;
    static_members_[*member.instance_id] = new_id;
    return members_.insert(std::move(node)).position->second;
}

// ---- The join phase

void ClassicGroup::rebalance_if_possible(Now now) {
    if (state_ == ClassicState::preparing_rebalance) complete_join_if_all_joined(now);
    else if (state_ != ClassicState::dead) prepare_rebalance(now);
}

void ClassicGroup::prepare_rebalance(Now now) {
    if (state_ == ClassicState::completing_rebalance) {
        for (auto& [id, member] : members_) member.assignment.clear();
        propagate_assignment(GroupError::rebalance_in_progress, now);
    }
    pending_syncs_.clear();
    sync_deadline_ = never;
    log::info("group rebalances: group={} state={} generation={} members={}", id_, to_text(state_), generation_, members_.size());
    if (state_ == ClassicState::empty) {
        // The first of many usually: waits for the others, again and again while some come.
        in_initial_delay_ = true;
        delay_ms_ = options_.initial_rebalance_delay_ms;
        delay_left_ms_ = std::max(rebalance_timeout_ms() - delay_ms_, 0);
        join_deadline_ = now.instant + ms(delay_ms_);
        become(ClassicState::preparing_rebalance, now.wall);
        return;
    }
    become(ClassicState::preparing_rebalance, now.wall);
    if (all_joined()) complete_join(now);
    else join_deadline_ = now.instant + ms(rebalance_timeout_ms());
}

void ClassicGroup::end_initial_delay(Now now) {
    if (!member_added_ || delay_left_ms_ == 0) return complete_join(now);
    member_added_ = false;
    auto next = std::min(options_.initial_rebalance_delay_ms, delay_left_ms_);
    delay_left_ms_ = std::max(delay_left_ms_ - delay_ms_, 0);
    delay_ms_ = next;
    join_deadline_ = now.instant + ms(next);
}

void ClassicGroup::complete_join_if_all_joined(Now now) {
    if (state_ == ClassicState::preparing_rebalance && previous_state_ != ClassicState::empty && all_joined()) complete_join(now);
}

void ClassicGroup::complete_join(Now now) {
    join_deadline_ = never;
    in_initial_delay_ = false;
    std::vector<std::string> missing;
    for (auto& [id, member] : members_) {
        if (!member.awaits_join && !member.instance_id) missing.push_back(id);
    }
    for (auto& id : missing) remove(id);
    if (state_ == ClassicState::dead) return;
    if (!elect_joined_leader() && !members_.empty()) {  // Only static members, none of them back yet.
        join_deadline_ = now.instant + ms(rebalance_timeout_ms());
        return;
    }
    next_generation(now.wall);
    log::info("group joined: group={} generation={} members={} missing={} protocol={} leader={}", id_, generation_,
              members_.size(), missing.size(), protocol_name_.value_or(""), leader_.value_or(""));
    if (state_ == ClassicState::empty) {
        GroupWrite write;
        write.why = GroupWrite::Why::emptied;
        return push_write(std::move(write));
    }
    for (auto& [id, member] : members_) {
        answer_join(member, joined(id));
        set_deadline(member, member.session_timeout_ms, now.instant);
        member.is_new = false;
        pending_syncs_.insert(id);
    }
    sync_deadline_ = now.instant + ms(rebalance_timeout_ms());
}

bool ClassicGroup::elect_joined_leader() {
    if (!leader_) return false;
    if (members_.find(*leader_)->second.awaits_join) return true;
    auto next = std::ranges::find_if(members_, [](auto& entry) { return entry.second.awaits_join; });
    if (next == members_.end()) return false;
    leader_ = next->first;
    return true;
}

void ClassicGroup::next_generation(Timestamp now) {
    ++generation_;
    protocol_name_.reset();
    if (!members_.empty()) protocol_name_ = select_protocol();
    find_subscribed_topics();
    become(members_.empty() ? ClassicState::empty : ClassicState::completing_rebalance, now);
    pending_syncs_.clear();
}

JoinAnswer ClassicGroup::joined(const std::string& member_id) const {
    JoinAnswer answer;
    answer.generation = generation_;
    answer.protocol_type = protocol_type_;
    answer.protocol_name = protocol_name_;
    answer.leader = leader_.value_or("");
    answer.member_id = member_id;
    if (!is_leader(member_id)) return answer;
    for (auto& [id, member] : members_) {
        auto* metadata = member.metadata_of(protocol_name_.value_or(""));
        answer.members.push_back({id, member.instance_id, metadata ? *metadata : Blob()});
    }
    return answer;
}

// ---- The sync phase

void ClassicGroup::sync(SyncRequest request, SyncTicket& ticket, Now) {
    auto refuse_sync = [&](GroupError error) {
        SyncAnswer refusal;
        refusal.error = error;
        answer(ticket, std::move(refusal));
    };
    if (state_ == ClassicState::dead) return refuse_sync(GroupError::coordinator_not_available);
    if (auto error = check_member(request.member_id, request.instance_id); error != GroupError::none) return refuse_sync(error);
    if (request.generation != generation_) return refuse_sync(GroupError::illegal_generation);
    if (differs(request.protocol_type, protocol_type_) || differs(request.protocol_name, protocol_name_)) {
        return refuse_sync(GroupError::inconsistent_group_protocol);
    }
    if (state_ == ClassicState::preparing_rebalance) return refuse_sync(GroupError::rebalance_in_progress);

    auto& [id, member] = *members_.find(request.member_id);
    if (auto pending = pending_syncs_.find(id); pending != pending_syncs_.end()) pending_syncs_.erase(pending);
    if (pending_syncs_.empty()) sync_deadline_ = never;
    if (state_ == ClassicState::stable) {
        SyncAnswer found;
        found.protocol_type = protocol_type_;
        found.protocol_name = protocol_name_;
        found.assignment = member.assignment;
        return answer(ticket, std::move(found));
    }
    ASSERT(state_ == ClassicState::completing_rebalance);
    if (member.sync) {  // It asks anew, most likely because the connection was lost.
        SyncAnswer outdated;
        outdated.error = GroupError::rebalance_in_progress;
        answer_sync(member, std::move(outdated));
    }
    member.awaits_sync = true;
    member.sync = &ticket;
    // Were the leader's second word stored as well, the log would not say what the members were told.
    if (!is_leader(id) || std::exchange(assigned_generation_, generation_) == generation_) return;
    GroupWrite write;
    write.why = GroupWrite::Why::assignment;
    for (auto& [each, unused] : members_) write.assignments[each] = std::move(request.assignments[each]);
    push_write(std::move(write));
}

void ClassicGroup::propagate_assignment(GroupError error, Now now) {
    for (auto& [id, member] : members_) {
        if (!member.awaits_sync) continue;
        SyncAnswer said;
        said.error = error;
        if (error == GroupError::none) {
            said.protocol_type = protocol_type_;
            said.protocol_name = protocol_name_;
        }
        said.assignment = member.assignment;
        answer_sync(member, std::move(said));
        set_deadline(member, member.session_timeout_ms, now.instant);
    }
}

// ---- What was stored

void ClassicGroup::written(GroupWrite write, GroupError error, Now now) {
    switch (write.why) {
        case GroupWrite::Why::emptied: return;  // Told by the next one if it failed.
        case GroupWrite::Why::new_group: {
            auto found = members_.find(write.member_id);
            if (error == GroupError::none || found == members_.end()) return;
            JoinAnswer refusal;
            refusal.error = error;
            return answer_join(found->second, std::move(refusal));
        }
        case GroupWrite::Why::assignment:
            if (state_ != ClassicState::completing_rebalance || write.generation != generation_) return;
            for (auto& [id, member] : members_) {
                member.assignment = error == GroupError::none ? std::move(write.assignments[id]) : Blob();
            }
            propagate_assignment(error, now);
            if (error == GroupError::none) become(ClassicState::stable, now.wall);
            else rebalance_if_possible(now);
            return;
        case GroupWrite::Why::static_member: break;
    }
    auto found = members_.find(write.member_id);
    if (found == members_.end()) return;
    auto answer_to_it = joined(write.member_id);
    if (error != GroupError::none) {
        answer_to_it.error = error;
        answer_to_it.member_id.clear();
        answer_to_it.members.clear();
        answer_join(found->second, std::move(answer_to_it));
        auto& member = rename_static_member(write.member_id, write.old_member_id);
        count_protocols(member, -1);
        member.protocols = std::move(write.before.protocols);
        count_protocols(member, 1);
        member.session_timeout_ms = write.before.session_timeout_ms;
        member.rebalance_timeout_ms = write.before.rebalance_timeout_ms;
        return set_deadline(member, member.session_timeout_ms, now.instant);
    }
    if (write.knows_skip_assignment) {
        answer_to_it.skip_assignment = is_leader(write.member_id);
    } else {
        // Were it told that it leads, it would assign: so it hears of the leader by the old id.
        if (is_leader(write.member_id)) answer_to_it.leader = write.old_member_id;
        answer_to_it.members.clear();
    }
    answer_join(found->second, std::move(answer_to_it));
}

// ---- Time

void ClassicGroup::expire(Now now) {
    if (first_deadline_ <= now.instant) {
        std::vector<std::pair<Instant, std::string>> due;
        first_deadline_ = never;
        auto look = [&](const std::string& id, Instant deadline) {
            if (deadline <= now.instant) due.emplace_back(deadline, id);
            else first_deadline_ = std::min(first_deadline_, deadline);
        };
        for (auto& [id, deadline] : pending_joins_) look(id, deadline);
        for (auto& [id, member] : members_) look(id, member.deadline);
        std::ranges::sort(due);
        for (auto& [deadline, id] : due) expire_member(id, now);
    }
    if (join_deadline_ <= now.instant) {
        if (in_initial_delay_) end_initial_delay(now);
        else complete_join(now);
    }
    if (sync_deadline_ <= now.instant) expire_sync(now);
}

void ClassicGroup::expire_member(const std::string& member_id, Now now) {
    if (auto pending = pending_joins_.find(member_id); pending != pending_joins_.end()) {
        pending_joins_.erase(pending);
        if (state_ == ClassicState::preparing_rebalance && all_joined()) complete_join(now);
        return;
    }
    auto found = members_.find(member_id);
    if (found == members_.end() || found->second.deadline > now.instant) return;
    found->second.deadline = never;
    if (found->second.is_alive_by_waiting()) return;
    log::info("group member failed: group={} member={} client={}", id_, member_id, found->second.client_id);
    remove(member_id);
    if (state_ == ClassicState::stable || state_ == ClassicState::completing_rebalance) rebalance_if_possible(now);
    else if (state_ == ClassicState::preparing_rebalance && all_joined()) complete_join(now);
}

void ClassicGroup::expire_sync(Now now) {
    sync_deadline_ = never;
    if (pending_syncs_.empty()) return;
    auto late = std::exchange(pending_syncs_, {});
    for (auto& id : late) remove(id);
    prepare_rebalance(now);
}

}  // namespace rafka::coordinator
