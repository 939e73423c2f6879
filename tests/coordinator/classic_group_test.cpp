#include "coordinator/classic_group.hpp"

#include "base/endian.hpp"
#include "base/log.hpp"

#include <doctest/doctest.h>

#include <list>
#include <random>

using namespace rafka;
using namespace rafka::coordinator;

namespace {

Blob bytes(std::string_view text) {
    auto view = as_bytes(text);
    return {view.begin(), view.end()};
}

// A group with clients, a clock and a disk that answers when told to.
struct Table {
    ClassicOptions options;
    Now now{Instant{}, Timestamp{1'000'000}};
    ClassicGroup group{"g", options, now.wall};
    std::list<JoinTicket> joins;  // Tickets stay where they are.
    std::list<SyncTicket> syncs;
    std::deque<GroupWrite> disk;
    int fresh = 0;

    Table() { log::set_level(log::Level::off); }

    JoinRequest request(std::string member_id = "", std::vector<ClassicProtocol> protocols = {{"range", bytes("r")}}) {
        JoinRequest request;
        request.member_id = std::move(member_id);
        request.client_id = "client";
        request.client_host = "/127.0.0.1";
        request.session_timeout_ms = 10'000;
        request.rebalance_timeout_ms = 60'000;
        request.protocol_type = "consumer";
        request.protocols = std::move(protocols);
        request.fresh_member_id = "m" + std::to_string(++fresh);
        return request;
    }
    JoinTicket& join(JoinRequest request) {
        auto& ticket = joins.emplace_back();
        group.join(std::move(request), ticket, now);
        gather();
        return ticket;
    }
    JoinTicket& join_static(std::string instance, bool knows_skip = true) {
        auto asked = request();
        asked.instance_id = std::move(instance);
        asked.knows_skip_assignment = knows_skip;
        return join(std::move(asked));
    }
    SyncTicket& sync(std::string_view member_id, std::map<std::string, Blob> assignments = {}) {
        SyncRequest asked;
        asked.member_id = member_id;
        asked.generation = group.generation();
        asked.assignments = std::move(assignments);
        auto& ticket = syncs.emplace_back();
        group.sync(std::move(asked), ticket, now);
        gather();
        return ticket;
    }
    GroupError heartbeat(std::string_view member_id) { return group.heartbeat(member_id, std::nullopt, group.generation(), now); }
    GroupError leave(std::string_view member_id) {
        Leaver leaver{member_id, std::nullopt};
        auto answers = group.leave(std::span(&leaver, 1), now);
        gather();
        return answers[0];
    }
    void gather() {
        for (auto& write : group.take_writes()) disk.push_back(std::move(write));
    }
    void store(GroupError error = GroupError::none) {
        while (!disk.empty()) {
            auto write = std::move(disk.front());
            disk.pop_front();
            group.written(std::move(write), error, now);
            gather();
        }
    }
    // Time passes to the millisecond: each deadline is acted on when it is due.
    void pass(int ms) {
        auto end = now.instant + std::chrono::milliseconds(ms);
        while (group.next_deadline() <= end) {
            auto due = std::max(group.next_deadline(), now.instant);
            now.wall.ms += (due - now.instant) / std::chrono::milliseconds(1);
            now.instant = due;
            group.expire(now);
            gather();
        }
        now.wall.ms += (end - now.instant) / std::chrono::milliseconds(1);
        now.instant = end;
    }
    // Everybody in `ids` has its assignment.
    void become_stable(const std::vector<std::string>& ids) {
        std::map<std::string, Blob> assignments;
        for (auto& id : ids) assignments[id] = bytes("of " + id);
        for (auto& id : ids) sync(id, id == *group.leader() ? assignments : std::map<std::string, Blob>());
        store();
        REQUIRE(group.state() == ClassicState::stable);
    }
    // `count` members, stable.
    std::vector<std::string> grow(int count) {
        std::vector<std::string> ids;
        std::vector<JoinTicket*> tickets;
        for (int i = 0; i < count; ++i) tickets.push_back(&join(request()));
        pass(6000);
        for (auto* ticket : tickets) {
            REQUIRE(ticket->answer.has_value());
            ids.push_back(ticket->answer->member_id);
        }
        become_stable(ids);
        return ids;
    }
};

}  // namespace

TEST_CASE("a first member waits for others, and the delay grows while some come") {
    Table table;
    auto& first = table.join(table.request());
    CHECK(table.group.state() == ClassicState::preparing_rebalance);
    table.pass(2999);
    auto& second = table.join(table.request());
    table.pass(1);
    CHECK_FALSE(first.answer);
    table.pass(2999);
    CHECK_FALSE(first.answer);
    table.pass(1);
    REQUIRE(first.answer);
    REQUIRE(second.answer);
    CHECK(first.answer->generation == 1);
    CHECK(first.answer->leader == "m1");
    CHECK(first.answer->protocol_name == "range");
    CHECK(first.answer->members.size() == 2);
    CHECK(second.answer->members.empty());
    CHECK(table.group.state() == ClassicState::completing_rebalance);
}

TEST_CASE("assignments are given out when they are stored, not before") {
    Table table;
    table.join(table.request());
    table.join(table.request());
    table.pass(6000);
    table.store();  // That the group exists.
    auto& follower = table.sync("m2");
    auto& leader = table.sync("m1", {{"m1", bytes("one")}, {"m2", bytes("two")}});
    CHECK_FALSE(leader.answer);
    CHECK(table.group.may_commit("m1", std::nullopt, 1, false) == GroupError::rebalance_in_progress);
    REQUIRE(table.disk.size() == 1);
    table.store();
    REQUIRE(leader.answer);
    CHECK(leader.answer->assignment == bytes("one"));
    CHECK(follower.answer->assignment == bytes("two"));
    CHECK(table.group.state() == ClassicState::stable);
    CHECK(table.sync("m2").answer->assignment == bytes("two"));
    CHECK(table.group.may_commit("m1", std::nullopt, 1, false) == GroupError::none);
    CHECK(table.group.may_commit("m1", std::nullopt, 0, false) == GroupError::illegal_generation);
    CHECK(table.group.may_commit("", std::nullopt, -1, false) == GroupError::unknown_member_id);
}

TEST_CASE("an assignment that cannot be stored begins a rebalance") {
    Table table;
    table.join(table.request());
    table.pass(6000);
    table.store();
    auto& leader = table.sync("m1", {{"m1", bytes("one")}});
    table.store(GroupError::not_coordinator);
    CHECK(leader.answer->error == GroupError::not_coordinator);
    CHECK(table.group.state() == ClassicState::preparing_rebalance);
    CHECK(table.heartbeat("m1") == GroupError::rebalance_in_progress);
}

TEST_CASE("a new dynamic member comes twice") {
    Table table;
    auto asked = table.request();
    asked.knows_member_ids = true;
    auto& first = table.join(std::move(asked));
    CHECK(first.answer->error == GroupError::member_id_required);
    auto id = first.answer->member_id;
    auto& second = table.join(table.request(id));
    table.pass(3000);
    CHECK(second.answer->member_id == id);
    CHECK(table.join(table.request("nobody")).answer->error == GroupError::unknown_member_id);

    // An id that nobody uses is forgotten with the session that it asked for; a rebalance does not end before.
    auto pending = table.request();
    pending.knows_member_ids = true;
    table.join(std::move(pending));
    auto& again = table.join(table.request(id, {{"range", bytes("changed")}}));
    table.pass(9999);
    CHECK_FALSE(again.answer);
    table.pass(1);
    CHECK(again.answer->generation == 2);
}

TEST_CASE("a session ends to the millisecond, and waiting keeps an old member alive") {
    Table table;
    auto ids = table.grow(2);
    table.pass(9999);
    CHECK(table.heartbeat(ids[0]) == GroupError::none);
    CHECK(table.group.members().size() == 2);
    table.pass(1);
    CHECK(table.group.members().size() == 1);
    CHECK(table.group.state() == ClassicState::preparing_rebalance);
    auto& join = table.join(table.request(ids[0]));
    CHECK(join.answer->generation == 2);  // Everybody who is left has joined.

    auto& sync = table.sync(ids[0], {{ids[0], bytes("all")}});
    table.pass(59'999);
    CHECK_FALSE(sync.answer);
    CHECK(table.group.members().size() == 1);
    table.store();
    CHECK(sync.answer->assignment == bytes("all"));
}

TEST_CASE("who does not rejoin in time is left behind") {
    Table table;
    auto ids = table.grow(3);
    auto& first = table.join(table.request(ids[0], {{"range", bytes("changed")}}));
    auto& second = table.join(table.request(ids[1]));
    for (int i = 0; i < 59; ++i) {
        table.pass(1000);
        for (auto& id : ids) CHECK(table.heartbeat(id) == GroupError::rebalance_in_progress);
    }
    table.pass(999);
    CHECK_FALSE(first.answer);
    table.pass(1);
    REQUIRE(first.answer);
    REQUIRE(second.answer);
    CHECK(table.group.members().size() == 2);
    CHECK(table.heartbeat(ids[2]) == GroupError::unknown_member_id);
}

TEST_CASE("who joins and never syncs is removed") {
    Table table;
    table.join(table.request());
    table.join(table.request());
    table.pass(6000);
    table.sync("m1", {{"m1", bytes("one")}});
    table.store();
    CHECK(table.group.state() == ClassicState::stable);
    for (int i = 0; i < 59; ++i) {
        table.pass(1000);
        table.heartbeat("m1");
        table.heartbeat("m2");
    }
    CHECK(table.group.members().size() == 2);
    table.pass(1000);
    CHECK(table.group.members().size() == 1);
    CHECK(table.group.state() == ClassicState::preparing_rebalance);
}

TEST_CASE("the protocol that most members prefer wins among those that all know") {
    Table table;
    table.join(table.request("", {{"a", {}}, {"b", {}}}));
    table.join(table.request("", {{"b", {}}, {"a", {}}, {"c", {}}}));
    auto& third = table.join(table.request("", {{"b", {}}, {"a", {}}}));
    CHECK(table.join(table.request("", {{"c", {}}})).answer->error == GroupError::inconsistent_group_protocol);
    auto other = table.request();
    other.protocol_type = "connect";
    CHECK(table.join(std::move(other)).answer->error == GroupError::inconsistent_group_protocol);
    table.pass(10'000);
    CHECK(third.answer->protocol_name == "b");
    SyncRequest wrong;
    wrong.member_id = "m1";
    wrong.generation = 1;
    wrong.protocol_name = "a";
    auto& ticket = table.syncs.emplace_back();
    table.group.sync(std::move(wrong), ticket, table.now);
    CHECK(ticket.answer->error == GroupError::inconsistent_group_protocol);
}

TEST_CASE("a follower that repeats itself does not begin a rebalance, the leader does") {
    Table table;
    auto ids = table.grow(2);
    CHECK(*table.group.leader() == ids[0]);
    CHECK(table.join(table.request(ids[1])).answer->generation == 1);
    CHECK(table.group.state() == ClassicState::stable);
    CHECK_FALSE(table.join(table.request(ids[0])).answer);
    CHECK(table.group.state() == ClassicState::preparing_rebalance);
}

TEST_CASE("a static member takes its place again without a rebalance") {
    Table table;
    auto& first = table.join_static("one");
    auto& second = table.join_static("two");
    table.pass(6000);
    auto leader = first.answer->member_id, follower = second.answer->member_id;
    table.become_stable({leader, follower});

    auto& back = table.join_static("two");
    CHECK_FALSE(back.answer);
    table.store();
    REQUIRE(back.answer);
    CHECK(back.answer->generation == 1);
    CHECK(table.group.state() == ClassicState::stable);
    auto renamed = back.answer->member_id;
    CHECK(renamed != follower);
    CHECK(table.sync(renamed).answer->assignment == bytes("of " + follower));
    CHECK(table.group.heartbeat(follower, "two", 1, table.now) == GroupError::fenced_instance_id);
    CHECK(table.group.heartbeat(renamed, "two", 1, table.now) == GroupError::none);

    auto& leads = table.join_static("one");
    table.store();
    CHECK(leads.answer->skip_assignment);
    CHECK(leads.answer->members.size() == 2);
    auto& old_client = table.join_static("one", false);
    table.store();
    CHECK_FALSE(old_client.answer->skip_assignment);
    CHECK(old_client.answer->leader == leads.answer->member_id);  // By the id that it had: it does not assign.

    auto& lost = table.join_static("two");
    table.store(GroupError::not_coordinator);
    CHECK(lost.answer->error == GroupError::not_coordinator);
    CHECK(table.group.heartbeat(renamed, "two", 1, table.now) == GroupError::none);

    Leaver by_operator{"", "two"};
    CHECK(table.group.leave(std::span(&by_operator, 1), table.now)[0] == GroupError::none);
    CHECK(table.group.state() == ClassicState::preparing_rebalance);
}

TEST_CASE("a group is as large as it may be") {
    Table table;
    table.options.members_max = 2;
    auto ids = table.grow(2);
    CHECK(table.join(table.request()).answer->error == GroupError::group_max_size_reached);
    CHECK(table.join(table.request(ids[1])).answer->error == GroupError::none);
}

TEST_CASE("the last member leaves an empty group, and that is stored") {
    Table table;
    auto ids = table.grow(1);
    CHECK(table.group.may_be_deleted() == GroupError::non_empty_group);
    CHECK(table.leave("nobody") == GroupError::unknown_member_id);
    CHECK(table.leave(ids[0]) == GroupError::none);
    CHECK(table.group.state() == ClassicState::empty);
    REQUIRE(table.disk.size() == 1);
    CHECK(table.disk[0].why == GroupWrite::Why::emptied);
    CHECK(table.group.generation() == 2);
    CHECK(table.group.may_commit("", std::nullopt, -1, false) == GroupError::none);
    CHECK(table.group.may_be_deleted() == GroupError::none);

    ClassicGroup loaded("g", table.options, table.now.wall);
    REQUIRE(loaded.load(table.disk[0].value, table.now).has_value());
    CHECK(loaded.state() == ClassicState::empty);
    CHECK(loaded.generation() == 2);
    CHECK(loaded.protocol_type() == "consumer");
}

TEST_CASE("a stored group goes on where it was") {
    Table table;
    Blob metadata(6);
    store_be(metadata.data() + 2, int32_t(2));
    for (auto topic : {"apples", "pears"}) {
        auto at = metadata.size();
        metadata.resize(at + 2);
        store_be(metadata.data() + at, int16_t(std::string_view(topic).size()));
        for (auto byte : bytes(topic)) metadata.push_back(byte);
    }
    table.join(table.request("", {{"range", metadata}}));
    table.pass(3000);
    table.store();
    table.sync("m1", {{"m1", bytes("one")}});
    REQUIRE(table.disk.size() == 1);
    ClassicGroup loaded("g", table.options, table.now.wall);
    REQUIRE(loaded.load(table.disk[0].value, table.now).has_value());
    CHECK(loaded.state() == ClassicState::stable);
    CHECK(loaded.heartbeat("m1", std::nullopt, 1, table.now) == GroupError::none);
    CHECK(loaded.members().at("m1").assignment == bytes("one"));
    CHECK(loaded.subscribed_topics() == std::set<std::string>{"apples", "pears"});
    auto later = table.now;
    later.instant = later.instant + std::chrono::milliseconds(10'000);
    CHECK(loaded.next_deadline() <= later.instant);
    loaded.expire(later);
    CHECK(loaded.members().empty());

    auto cut = table.disk[0].value;
    cut.pop_back();
    CHECK(loaded.load(cut, table.now) == fail(Errc::malformed));
    cut[1] = std::byte{9};
    CHECK(loaded.load(cut, table.now) == fail(Errc::unsupported));
}

TEST_CASE("a client that is gone keeps its member until the session ends") {
    Table table;
    auto ids = table.grow(2);
    auto& join = table.join(table.request(ids[0]));
    table.group.forget(join);
    auto& other = table.join(table.request(ids[1]));
    CHECK(other.answer->generation == 2);
    CHECK_FALSE(join.answer);
    CHECK(table.group.members().size() == 2);
}

// Clients that join, sync, beat, leave, vanish and ask for nonsense, while the disk is slow or fails.
TEST_CASE("random clients: who is told an assignment is told the one that was stored for its generation") {
    for (uint64_t seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        auto one_of = [&](uint64_t count) { return random() % count; };
        Table table;
        std::map<int32_t, std::map<std::string, Blob>> stored;  // By generation.
        std::vector<std::string> ids;
        int32_t generation = 0;
        for (int step = 0; step < 300; ++step) {
            auto id = ids.empty() || one_of(10) == 0 ? std::string("stranger") : ids[one_of(ids.size())];
            switch (one_of(8)) {
                case 0: {
                    auto asked = table.request();
                    asked.knows_member_ids = one_of(2);
                    if (one_of(3) == 0) asked.instance_id = "i" + std::to_string(one_of(3));
                    ids.push_back(asked.fresh_member_id);
                    table.join(std::move(asked));
                    break;
                }
                case 1:
                case 2: table.join(table.request(id, {{"range", bytes(std::to_string(one_of(3)))}})); break;
                case 3:
                case 4: {
                    std::map<std::string, Blob> assignments;
                    if (table.group.leader() == id) {
                        for (auto& each : ids) assignments[each] = bytes(each + '@' + std::to_string(step));
                    }
                    table.sync(id, assignments);
                    break;
                }
                case 5: table.heartbeat(id); break;
                case 6: table.leave(id); break;
                case 7: table.pass(int(one_of(20'000))); break;
            }
            if (one_of(3) == 0 && !table.disk.empty()) {
                auto write = std::move(table.disk.front());
                table.disk.pop_front();
                bool fails = one_of(10) == 0;
                if (!fails && write.why == GroupWrite::Why::assignment) stored[write.generation] = write.assignments;
                table.group.written(std::move(write), fails ? GroupError::not_coordinator : GroupError::none, table.now);
                table.gather();
            }
            REQUIRE(table.group.generation() >= generation);
            generation = table.group.generation();
            for (auto& [name, member] : table.group.members()) {
                if (table.group.state() == ClassicState::stable && !member.instance_id) {
                    REQUIRE(stored[generation][name] == member.assignment);
                }
            }
            if (table.group.state() == ClassicState::stable) REQUIRE(table.group.members().contains(*table.group.leader()));
        }
        table.pass(400'000);  // Nobody beats any more.
        table.store();
        table.pass(400'000);
        for (auto& [name, member] : table.group.members()) CHECK(member.instance_id.has_value());
        table.group.die(GroupError::not_coordinator);
        // All but a member's own later request ended each wait.
        for (auto& ticket : table.joins) REQUIRE(ticket.answer.has_value());
        for (auto& ticket : table.syncs) REQUIRE(ticket.answer.has_value());
    }
}
