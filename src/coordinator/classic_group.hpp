#pragma once

// A group of the classic protocol: who is in it, which generation, which phase of a rebalance. A pure state machine: it
// does no I/O, time comes in with each call, and what must be stored goes out as GroupWrites. It behaves as Kafka's
// ClassicGroup and the classic part of its GroupMetadataManager.
//
//            first member                 all joined, or time is up             leader's assignment stored
//   empty ───────────────► preparing ───────────────────────────► completing ───────────────────► stable
//     ▲                    rebalance ◄──────────── a change ───── rebalance                          │
//     └── nobody joined ──────┘  ▲                                                                   │
//                                └───────────────────────── a change ────────────────────────────────┘
//
// Owned by the coordinator, on the loop of the group's partition of __consumer_offsets.

#include "coordinator/classic_member.hpp"
#include "coordinator/offsets.hpp"

#include <deque>
#include <map>
#include <set>
#include <span>
#include <string_view>

namespace rafka::coordinator {

enum class ClassicState : uint8_t { empty, preparing_rebalance, completing_rebalance, stable, dead };

// Kafka's word for it: "PreparingRebalance".
std::string_view to_text(ClassicState state);

struct ClassicOptions {
    int32_t initial_rebalance_delay_ms = 3000;
    int32_t new_member_join_timeout_ms = 300'000;  // Kafka's: not a config.
    size_t members_max = INT32_MAX;
};

// A GroupMetadata record to be appended, and to be handed back to ClassicGroup::written.
struct GroupWrite {
    enum class Why : uint8_t { new_group, emptied, assignment, static_member };
    Why why = Why::new_group;
    Blob value;                            // GroupMetadataValue version 3, with the version.
    int32_t generation = 0;
    std::map<std::string, Blob> assignments;
    // Of a static member that comes with a new id.
    std::string member_id;
    std::string old_member_id;
    ClassicMember before;
    bool knows_skip_assignment = false;
};

struct Leaver {
    std::string_view member_id;
    std::optional<std::string_view> instance_id;
};

struct SyncRequest {
    std::string_view member_id;
    std::optional<std::string_view> instance_id;
    int32_t generation = 0;
    std::optional<std::string_view> protocol_type;  // Null before version 5.
    std::optional<std::string_view> protocol_name;
    std::map<std::string, Blob> assignments;        // Of the leader.
};

class ClassicGroup {
public:
    using Options = ClassicOptions;
    using Members = std::map<std::string, ClassicMember, std::less<>>;

    ClassicGroup(std::string id, const Options& options, Timestamp now);
    ClassicGroup(const ClassicGroup&) = delete;
    ClassicGroup& operator=(const ClassicGroup&) = delete;

    // The state that a GroupMetadataValue tells (with its version in front). Members' sessions begin anew at `now`, or
    // when the group is served: see restart_sessions. Errors: malformed, unsupported.
    Result<> load(Bytes value, Now now);
    void restart_sessions(Instant now);

    // Answers through the ticket, at once or when the phase ends. An unknown member gets its id from the request.
    void join(JoinRequest request, JoinTicket& ticket, Now now);
    void sync(SyncRequest request, SyncTicket& ticket, Now now);
    void forget(const JoinTicket& ticket);
    void forget(const SyncTicket& ticket);
    GroupError heartbeat(std::string_view member_id, std::optional<std::string_view> instance_id, int32_t generation, Now now);
    // One answer per leaver, in their order.
    std::vector<GroupError> leave(std::span<const Leaver> leavers, Now now);

    // Acts on every deadline up to `now`. next_deadline may be early, never late.
    void expire(Now now);
    Instant next_deadline() const;

    // What to append, in order; each is to be handed back when it is durable, or failed.
    std::deque<GroupWrite> take_writes() { return std::exchange(writes_, {}); }
    void written(GroupWrite write, GroupError error, Now now);

    // The group is deleted, or another broker's: everybody is sent away.
    void die(GroupError error);

    // Whether an offset may be committed. generation -1 with neither member nor instance: not by a member.
    GroupError may_commit(std::string_view member_id, std::optional<std::string_view> instance_id, int32_t generation,
                          bool is_transactional) const;
    GroupError may_delete_offsets() const;
    GroupError may_be_deleted() const;
    OffsetExpiry offset_expiry() const;

    const std::string& id() const { return id_; }
    ClassicState state() const { return state_; }
    int32_t generation() const { return generation_; }
    const std::optional<std::string>& protocol_type() const { return protocol_type_; }
    const std::optional<std::string>& protocol_name() const { return protocol_name_; }
    const std::optional<std::string>& leader() const { return leader_; }
    Timestamp state_since() const { return state_since_; }
    const Members& members() const { return members_; }
    bool uses_consumer_protocol() const { return protocol_type_ == "consumer"; }
    // Topics that the members of a consumer group subscribe to; nothing if the group does not know them.
    const std::optional<std::set<std::string>>& subscribed_topics() const { return subscribed_topics_; }

private:
    void become(ClassicState state, Timestamp now);
    bool is_leader(std::string_view member_id) const { return leader_ && *leader_ == member_id; }
    bool supports(std::string_view type, std::span<const ClassicProtocol> protocols) const;
    void count_protocols(const ClassicMember& member, int by);
    std::string select_protocol() const;
    GroupError check_member(std::string_view member_id, std::optional<std::string_view> instance_id) const;
    bool accepts(std::string_view member_id) const;
    ClassicMember& insert(std::string member_id, ClassicMember member, JoinTicket* ticket);
    void remove(std::string_view member_id);
    void find_subscribed_topics();
    int32_t rebalance_timeout_ms() const;
    bool all_joined() const { return members_.size() == awaiting_join_ && pending_joins_.empty(); }

    void join_new(JoinRequest& request, JoinTicket& ticket, Now now);
    void join_known(JoinRequest& request, JoinTicket& ticket, Now now);
    void add_member(std::string member_id, JoinRequest& request, JoinTicket& ticket, Now now);
    void update_member(ClassicMember& member, JoinRequest& request, JoinTicket* ticket);
    void replace_static_member(const std::string& old_id, JoinRequest& request, JoinTicket& ticket, Now now);
    ClassicMember& rename_static_member(const std::string& old_id, const std::string& new_id);
    void rebalance_if_possible(Now now);
    void prepare_rebalance(Now now);
    void complete_join_if_all_joined(Now now);
    void complete_join(Now now);
    void end_initial_delay(Now now);
    bool elect_joined_leader();
    void next_generation(Timestamp now);
    void propagate_assignment(GroupError error, Now now);
    void expire_sync(Now now);
    void expire_member(const std::string& member_id, Now now);

    JoinAnswer joined(const std::string& member_id) const;
    void answer_join(ClassicMember& member, JoinAnswer answer);
    void answer_sync(ClassicMember& member, SyncAnswer answer);
    void set_deadline(ClassicMember& member, int32_t ms, Instant now);
    void push_write(GroupWrite write);
    Blob value_with(const std::map<std::string, Blob>& assignments) const;

    const std::string id_;
    const Options& options_;
    ClassicState state_ = ClassicState::empty;
    ClassicState previous_state_ = ClassicState::dead;
    Timestamp state_since_;
    int32_t generation_ = 0;
    std::optional<std::string> protocol_type_;
    std::optional<std::string> protocol_name_;
    std::optional<std::string> leader_;
    Members members_;
    std::map<std::string, std::string, std::less<>> static_members_;  // Instance id to member id.
    std::map<std::string, int, std::less<>> protocol_counts_;         // How many members know it.
    std::map<std::string, Instant, std::less<>> pending_joins_;       // Who got an id and did not come back yet.
    std::set<std::string, std::less<>> pending_syncs_;                // Who joined this generation and did not sync yet.
    size_t awaiting_join_ = 0;
    std::optional<std::set<std::string>> subscribed_topics_;
    int32_t assigned_generation_ = -1;  // The last one whose leader said who gets what.

    bool is_stored_ = false;                    // Or about to be.
    bool member_added_ = false;                 // During the initial delay, which grows by it.
    Instant join_deadline_ = never;
    bool in_initial_delay_ = false;
    int32_t delay_ms_ = 0;
    int32_t delay_left_ms_ = 0;
    Instant sync_deadline_ = never;
    Instant first_deadline_ = never;            // Not later than any session's or pending join's.
    std::deque<GroupWrite> writes_;
};

}  // namespace rafka::coordinator
