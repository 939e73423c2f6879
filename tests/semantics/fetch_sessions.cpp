// Fetch sessions (KIP-227).

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

namespace rafka::semantics {

namespace {

using Topic = FetchRequest::Topic;
using Asked = FetchRequest::Partition;
using Forgotten = FetchRequest::ForgottenTopic;

Asked from(int32_t partition, int64_t offset, int32_t bytes_max = 1 << 20) {
    return {.partition = partition, .fetch_offset = {offset}, .partition_max_bytes = bytes_max};
}

struct Session {
    Script& s;
    std::string_view name;
    Uuid topic_id{};
    int16_t version = 11;
    int32_t id = 0;

    FetchResponse ask(std::string_view label, int32_t epoch, std::initializer_list<Asked> partitions, std::initializer_list<int32_t> forgotten = {}) {
        FetchRequest request{.max_wait_ms = 0, .min_bytes = 0, .session_id = id, .session_epoch = epoch};
        if (partitions.size() > 0) request.topics = s.list<Topic>({{.topic = name, .topic_id = topic_id, .partitions = s.list(partitions)}});
        if (forgotten.size() > 0) request.forgotten_topics_data = s.list<Forgotten>({{.topic = name, .topic_id = topic_id, .partitions = s.list(forgotten)}});
        return s.ask(label, request, version);
    }
    void open(std::string_view label, std::initializer_list<Asked> partitions) {
        id = 0;
        id = ask(label, 0, partitions).session_id;
    }
};

void life(Script& s, std::string_view topic, Uuid topic_id, int16_t version) {
    for (int32_t partition = 0; partition < 3; ++partition) s.append(topic, partition, s.batch({{"a"}, {"b"}}));
    Session session{s, topic, topic_id, version};
    session.open("opened", {from(0, 0), from(1, 0), from(2, 2)});
    session.ask("nothing changed", 1, {});
    session.ask("positions moved", 2, {from(0, 2), from(1, 2)});
    session.ask("nothing new", 3, {});
    s.append(topic, 1, s.batch({{"c"}}));
    session.ask("one has something", 4, {});
    session.ask("still, for the position is where it was", 5, {});
    session.ask("wrong epoch, too small", 5, {});
    session.ask("wrong epoch, too large", 9, {});
    session.ask("the right one", 6, {from(1, 3)});
    session.ask("one forgotten", 7, {}, {1});
    s.append(topic, 1, s.batch({{"d"}}));
    s.append(topic, 0, s.batch({{"d"}}));
    session.ask("the forgotten one does not appear", 8, {});
    session.ask("added again", 9, {from(1, 3)});
    session.ask("forgotten and asked at once", 10, {from(1, 3)}, {1});
    session.ask("an unknown one forgotten", 11, {}, {7});
    session.ask("an unknown one added", 12, {from(9, 0)});
    session.ask("its error comes again", 13, {});
    session.ask("out of range", 14, {from(0, 99)});
    session.ask("out of range, again", 15, {});
    session.ask("back in range", 16, {from(0, 3)}, {9});
    session.ask("back in range, nothing new", 17, {});
    session.ask("all forgotten", 18, {}, {0, 1, 2});
    session.ask("empty", 19, {});
    session.ask("one again", 20, {from(2, 0)});
    session.ask("closed", -1, {from(0, 0)});
    session.ask("gone", 21, {});
    session.ask("gone, closed again", -1, {});
}

}  // namespace

void fetch_sessions(Script& s) {
    s.topic("fetch_sessions-a", 3);
    life(s, "fetch_sessions-a", Uuid{}, 7);
    auto id = s.topic("fetch_sessions-b", 3);
    life(s, "fetch_sessions-b", id, 16);

    Session session{s, "fetch_sessions-a"};
    session.id = 12345;
    session.ask("unknown session", 1, {from(0, 0)});
    session.ask("unknown session, opened", 0, {from(0, 4)});
    session.ask("unknown session, closed", -1, {from(0, 4)});
    session.ask("unknown session, strange epoch", -2, {from(0, 4)});
    session.id = 0;
    session.ask("no session", -1, {from(0, 3)});
    session.ask("no session, epoch 1", 1, {from(0, 4)});
    session.ask("no session, epoch -2", -2, {from(0, 4)});
    session.open("no partition", {});
    session.ask("no partition: on", 1, {});

    session.open("opened", {from(0, 4), from(1, 0, 10)});
    auto first = session.id;
    session.ask("opened over itself", 0, {from(0, 4)});
    session.id = first;
    session.ask("the first is gone", 1, {});
    session.open("opened with an unknown one", {from(0, 4), from(8, 0)});
    session.ask("with an unknown one: on", 1, {});
    session.open("opened with one twice", {from(0, 3), from(0, 4), from(1, 4)});
    session.ask("with one twice: on", 1, {});

    // The same session from another connection.
    session.open("opened", {from(0, 3)});
    s.client().close();
    session.ask("from another connection", 1, {});

    // Names where ids were, and the other way round.
    Session by_id{s, "fetch_sessions-b", id, 13};
    by_id.open("by id", {from(0, 0, 100)});
    by_id.version = 12;
    by_id.ask("by name then", 1, {});
    by_id.version = 13;
    by_id.ask("by id again", 1, {});
    by_id.ask("by id again, one on", 2, {});
    session.version = 12;
    session.open("by name", {from(0, 3)});
    session.version = 13;
    session.topic_id = id;
    session.ask("by id then", 1, {});
    session.ask("by id then", 1, {from(0, 0)});
    Session unknown{s, "fetch_sessions-none", {}, 15};
    unknown.topic_id.bytes[5] = std::byte{5};
    unknown.open("an unknown id", {from(0, 0)});
    unknown.ask("an unknown id: on", 1, {});
    Session none{s, "fetch_sessions-none", {}, 12};
    none.open("an unknown name", {from(0, 0)});
    none.ask("an unknown name: on", 1, {});

    // What was returned moves behind what was not.
    s.topic("fetch_sessions-turn", 3);
    for (int32_t partition = 0; partition < 3; ++partition) {
        for (int i = 0; i < 3; ++i) s.append("fetch_sessions-turn", partition, s.keep(make_batch_of(1, 900)));
    }
    FetchRequest turn{.max_wait_ms = 0, .min_bytes = 0, .max_bytes = 1000, .session_epoch = 0};
    turn.topics = s.list<Topic>({{.topic = "fetch_sessions-turn", .partitions = s.list<Asked>({from(0, 0), from(1, 0), from(2, 0)})}});
    turn.session_id = s.ask("in turn", turn, 11).session_id;
    turn.topics = {};
    for (turn.session_epoch = 1; turn.session_epoch < 6; ++turn.session_epoch) s.ask("in turn, again", turn, 11);
}

}  // namespace rafka::semantics
