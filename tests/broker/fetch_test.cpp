// Fetches over several partitions, loops and connections: sessions, limits, and what a wait counts.

#include "broker/harness.hpp"
#include "protocol/messages/delete_topics.hpp"

using namespace rafka;
using namespace rafka::test;
using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::FetchRequest;
using protocol::FetchResponse;

namespace {

constexpr int32_t long_wait = 100'000;
constexpr auto in_time = std::chrono::seconds(50);

using Wishes = std::span<FetchRequest::Partition>;

// Asks for all partitions of a topic from its start, the last first. The wishes may be changed.
FetchRequest all_of(Client& client, std::string_view topic, const Uuid& id, int32_t count, Wishes* to_change = nullptr) {
    auto request = fetch_request(client, topic, id, 0, 0);
    auto wishes = client.arena().make<FetchRequest::Partition>(size_t(count));
    if (to_change) *to_change = wishes;
    for (int32_t i = 0; i < count; ++i) {
        wishes[size_t(i)] = request.topics[0].partitions[0];
        wishes[size_t(i)].partition = count - 1 - i;
    }
    request.topics = one(client.arena(), FetchRequest::Topic{topic, id, wishes});
    return request;
}

FetchRequest next_of(const FetchResponse& opened, int32_t epoch, int32_t wait_ms = 0) {
    FetchRequest request;
    request.session_id = opened.session_id;
    request.session_epoch = epoch;
    request.max_bytes = 1 << 20;
    request.max_wait_ms = wait_ms;
    request.min_bytes = 1;
    return request;
}

// The partitions an answer has records of, as "3 2 ".
std::string with_records(const FetchResponse& response) {
    std::string text;
    for (auto& topic : response.responses) {
        for (auto& partition : topic.partitions) {
            if (partition.records && partition.records->size() > 0) text += std::to_string(partition.partition_index) + " ";
        }
    }
    return text;
}

Task<uint64_t> looks_of(Broker& broker, int32_t session_id) {
    auto& home = Loop::current();
    auto& shard = broker.shard_of_session(session_id);
    co_await Hop(shard.loop);
    auto looks = shard.fetch_looks;
    co_await Hop(home);
    co_return looks;
}

// Until the broker has begun the request before this epoch.
Task<> epoch_is(Broker& broker, int32_t session_id, int32_t epoch) {
    auto& home = Loop::current();
    auto& shard = broker.shard_of_session(session_id);
    for (bool is_there = false; !is_there;) {
        co_await sleep_for(home, std::chrono::milliseconds(1));
        co_await Hop(shard.loop);
        auto* session = shard.sessions.find(session_id);
        is_there = !session || session->epoch() == epoch;
        co_await Hop(home);
    }
}

Task<> delete_topic(Client& client, std::string_view name) {
    DeleteTopicsRequest request;
    request.timeout_ms = 1000;
    request.topic_names = one(client.arena(), name);
    auto response = co_await client.call<DeleteTopicsResponse>(request, 5);
    CHECK(response.responses[0].error_code == ErrorCode::none);
}

// Connections are spread over the loops; a session is not theirs.
Task<> from_anywhere(Loop& loop, Broker& broker) {
    Client first(loop), second(loop), third(loop);
    Client* clients[] = {&first, &second, &third};
    for (auto* client : clients) co_await client->connect(broker);
    auto topic = co_await create_topic(first, "anywhere", 9);
    auto request = all_of(first, "", topic.topic_id, 9);
    request.session_epoch = 0;
    auto opened = co_await first.call<FetchResponse>(request, 17);
    CHECK(opened.session_id != 0);
    CHECK(opened.responses[0].partitions.size() == 9);

    int32_t epoch = 0;
    for (int32_t partition = 0; partition < 9; ++partition) {
        auto& client = *clients[partition % 3];
        co_await produce(*clients[(partition + 1) % 3], "", topic.topic_id, partition, batch_of("v"));
        auto changed = co_await client.call<FetchResponse>(next_of(opened, ++epoch), 17);
        CHECK(changed.error_code == ErrorCode::none);
        CHECK(changed.session_id == opened.session_id);
        CHECK(only(changed).partition_index == partition);
        // Its position moves on.
        auto moved = fetch_request(client, "", topic.topic_id, partition, 1);
        moved.session_id = opened.session_id;
        moved.session_epoch = ++epoch;
        auto nothing = co_await client.call<FetchResponse>(moved, 17);
        CHECK(nothing.error_code == ErrorCode::none);
        CHECK(nothing.responses.empty());
    }

    // A wait on one connection, woken by another.
    auto start = loop.now();
    co_await second.send(next_of(opened, ++epoch, long_wait), 17);
    co_await produce(third, "", topic.topic_id, 4, batch_of("woken"));
    auto woken = co_await second.receive<FetchResponse>(17);
    CHECK(values_of(only(woken)) == "woken ");
    CHECK(loop.now() - start < in_time);

    // Closed on a third one.
    auto closing = next_of(opened, -1);
    auto closed = co_await third.call<FetchResponse>(closing, 17);
    CHECK(closed.session_id == 0);
    for (auto* client : clients) {
        auto gone = co_await client->call<FetchResponse>(next_of(opened, epoch + 1), 17);
        CHECK(gone.error_code == ErrorCode::fetch_session_id_not_found);
        co_await client->close();
    }
}

Task<> in_order(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    constexpr int32_t count = 12;
    auto topic = co_await create_topic(client, "order", count);
    std::string value(1000, 'v');
    std::string_view values[] = {value};
    auto batch = build_batch(values, -1, -1);
    for (int32_t i = 0; i < count; ++i) {
        for (int j = 0; j < 3; ++j) co_await produce(client, "", topic.topic_id, i, batch);
    }
    auto size = int32_t(batch.size());
    Wishes wishes;
    auto request = all_of(client, "", topic.topic_id, count, &wishes);
    struct Case { int32_t all, each; const char* expected; };
    static constexpr Case cases[] = {
        {1, 9, "11 "}, {4, 9, "11 10 "}, {7, 9, "11 10 9 "}, {3, 1, "11 10 9 "}, {0, 9, "11 "}, {5, 2, "11 10 9 "}, {99, 0, "11 "}};
    for (auto& limits : cases) {
        INFO("all ", limits.all, " each ", limits.each);
        request.max_bytes = limits.all * size;
        for (auto& wish : wishes) wish.partition_max_bytes = limits.each * size;
        auto response = co_await client.call<FetchResponse>(request, 17);
        CHECK(with_records(response) == limits.expected);
    }
    // The first that has something may bring more than is asked for, whichever it is.
    request.max_bytes = 10;
    for (size_t i = 0; i < 5; ++i) wishes[i].fetch_offset = Offset{3};
    auto response = co_await client.call<FetchResponse>(request, 17);
    CHECK(with_records(response) == "6 ");
    co_await client.close();
}

Task<> minimum(Loop& loop, Broker& broker) {
    Client reader(loop), writer(loop);
    co_await reader.connect(broker);
    co_await writer.connect(broker);
    auto topic = co_await create_topic(writer, "minimum", 3);
    std::string value(1000, 'v');
    std::string_view values[] = {value};
    auto batch = build_batch(values, -1, -1);
    auto size = int32_t(batch.size());
    for (int i = 0; i < 2; ++i) co_await produce(writer, "", topic.topic_id, 0, batch);

    // Only one batch fits, but there is more.
    auto start = loop.now();
    Wishes wishes;
    auto request = all_of(reader, "", topic.topic_id, 1, &wishes);
    request.max_wait_ms = long_wait;
    request.min_bytes = size + 10;
    wishes[0].partition_max_bytes = size + 20;
    auto one_batch = co_await reader.call<FetchResponse>(request, 17);
    CHECK(only(one_batch).records->size() == size_t(size));

    // What one partition has beyond its limit does not count, neither before the wait nor in it.
    auto all = all_of(reader, "", topic.topic_id, 3, &wishes);
    for (auto& wish : wishes) wish.partition_max_bytes = size;
    all.max_wait_ms = long_wait;
    all.min_bytes = 3 * size;
    co_await reader.send(all, 17);
    co_await produce(writer, "", topic.topic_id, 1, batch);
    co_await produce(writer, "", topic.topic_id, 1, batch);
    co_await produce(writer, "", topic.topic_id, 0, batch);
    co_await produce(writer, "", topic.topic_id, 2, batch);
    auto three = co_await reader.receive<FetchResponse>(17);
    CHECK(with_records(three) == "2 1 0 ");
    CHECK(loop.now() - start < in_time);
    co_await reader.close();
    co_await writer.close();
}

// A request costs what has changed, not what the session has.
Task<> idle(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    constexpr int32_t count = 300;
    auto topic = co_await create_topic(client, "idle", count);
    auto request = all_of(client, "", topic.topic_id, count);
    request.session_epoch = 0;
    auto opened = co_await client.call<FetchResponse>(request, 17);
    CHECK(opened.session_id != 0);
    auto before = co_await looks_of(broker, opened.session_id);
    int32_t epoch = 0;
    for (int i = 0; i < 10; ++i) {
        auto nothing = co_await client.call<FetchResponse>(next_of(opened, ++epoch, i), 17);
        CHECK(nothing.responses.empty());
    }
    auto looks = co_await looks_of(broker, opened.session_id);
    CHECK(looks == before);

    for (int32_t partition : {7, 250}) co_await produce(client, "", topic.topic_id, partition, batch_of("v"));
    auto changed = co_await client.call<FetchResponse>(next_of(opened, ++epoch, long_wait), 17);
    CHECK(with_records(changed) == "250 7 ");
    looks = co_await looks_of(broker, opened.session_id);
    CHECK(looks == before + 2);
    // They were not read, so they are there again; the one that moved on is not.
    auto moved = fetch_request(client, "", topic.topic_id, 250, 1);
    moved.session_id = opened.session_id;
    moved.session_epoch = ++epoch;
    changed = co_await client.call<FetchResponse>(moved, 17);
    CHECK(with_records(changed) == "7 ");
    looks = co_await looks_of(broker, opened.session_id);
    CHECK(looks == before + 4);
    changed = co_await client.call<FetchResponse>(next_of(opened, ++epoch), 17);
    CHECK(with_records(changed) == "7 ");
    looks = co_await looks_of(broker, opened.session_id);
    CHECK(looks == before + 5);
    co_await client.close();
}

// What happens to a partition that nobody has written to for long.
Task<> made_anew(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    co_await create_topic(client, "anew", 2);
    co_await produce(client, "anew", {}, 0, batch_of("old"), 12);
    Wishes wishes;
    auto request = all_of(client, "anew", {}, 2, &wishes);
    wishes[1].fetch_offset = Offset{1};
    request.session_epoch = 0;
    auto opened = co_await client.call<FetchResponse>(request, 12);
    CHECK(opened.session_id != 0);
    int32_t epoch = 0;
    auto nothing = co_await client.call<FetchResponse>(next_of(opened, ++epoch), 12);
    CHECK(nothing.responses.empty());

    // A wait ends when the topic goes, and both are named until they are there again.
    co_await client.send(next_of(opened, ++epoch, long_wait), 12);
    Client other(loop);
    co_await other.connect(broker);
    co_await delete_topic(other, "anew");
    auto gone = co_await client.receive<FetchResponse>(12);
    CHECK(!gone.responses.empty());
    auto are_gone = [&] {
        if (gone.responses.size() != 1 || gone.responses[0].partitions.size() != 2) return false;
        for (auto& partition : gone.responses[0].partitions) {
            if (partition.error_code != ErrorCode::unknown_topic_or_partition) return false;
        }
        return true;
    };
    // The logs end a moment before the metadata says so.
    for (auto start = loop.now(); !are_gone() && loop.now() - start < in_time;) {
        gone = co_await client.call<FetchResponse>(next_of(opened, ++epoch), 12);
    }
    CHECK(are_gone());

    co_await create_topic(other, "anew", 2);
    co_await produce(other, "anew", {}, 1, batch_of("new"), 12);
    auto back = co_await client.call<FetchResponse>(next_of(opened, ++epoch), 12);
    CHECK(back.responses.size() == 1);
    CHECK(back.responses[0].partitions.size() == 2);
    CHECK(back.responses[0].partitions[0].partition_index == 1);
    CHECK(values_of(back.responses[0].partitions[0]) == "new ");
    CHECK(back.responses[0].partitions[1].error_code == ErrorCode::offset_out_of_range);

    // And it is watched.
    auto moved = all_of(client, "anew", {}, 2, &wishes);
    wishes[0].fetch_offset = Offset{1};
    moved.session_id = opened.session_id;
    moved.session_epoch = ++epoch;
    auto first = co_await client.call<FetchResponse>(moved, 12);
    CHECK(only(first).partition_index == 0);  // Its error has gone.
    co_await produce(other, "anew", {}, 0, batch_of("watched"), 12);
    auto watched = co_await client.call<FetchResponse>(next_of(opened, ++epoch, long_wait), 12);
    CHECK(values_of(only(watched)) == "watched ");
    co_await client.close();
    co_await other.close();
}

Task<> two_at_once(Loop& loop, Broker& broker) {
    Client first(loop), second(loop);
    co_await first.connect(broker);
    co_await second.connect(broker);
    auto topic = co_await create_topic(first, "twice", 4);
    auto request = all_of(first, "", topic.topic_id, 4);
    request.session_epoch = 0;
    auto opened = co_await first.call<FetchResponse>(request, 17);
    auto start = loop.now();
    co_await first.send(next_of(opened, 1, long_wait), 17);
    co_await epoch_is(broker, opened.session_id, 2);
    auto answer = co_await second.call<FetchResponse>(next_of(opened, 2), 17);
    CHECK(answer.error_code == ErrorCode::none);
    auto late = co_await first.receive<FetchResponse>(17);
    CHECK(late.error_code == ErrorCode::invalid_fetch_session_epoch);
    CHECK(late.session_id == opened.session_id);

    // A session that is closed while a request waits: that one is answered all the same.
    co_await first.send(next_of(opened, 3, long_wait), 17);
    co_await epoch_is(broker, opened.session_id, 4);
    co_await second.call<FetchResponse>(next_of(opened, -1), 17);
    co_await produce(second, "", topic.topic_id, 2, batch_of("v"));
    auto last = co_await first.receive<FetchResponse>(17);
    CHECK(values_of(only(last)) == "v ");
    auto gone = co_await first.call<FetchResponse>(next_of(opened, 4), 17);
    CHECK(gone.error_code == ErrorCode::fetch_session_id_not_found);
    CHECK(loop.now() - start < in_time);

    // One that leaves while it waits takes nothing along.
    opened = co_await second.call<FetchResponse>(request, 17);
    co_await first.send(next_of(opened, 1, long_wait), 17);
    co_await first.close();
    co_await second.close();
}

}  // namespace

TEST_CASE("a session goes on from any connection") { tell_everywhere(from_anywhere); }
TEST_CASE("partitions share a request's bytes in its order, wherever they live") { tell_everywhere(in_order); }
TEST_CASE("a partition counts towards the minimum up to its own limit") { tell_everywhere(minimum); }
TEST_CASE("an incremental fetch looks at what changed only") { tell_everywhere(idle); }
TEST_CASE("a session follows a topic that is made anew") { tell_everywhere(made_anew); }
TEST_CASE("of two requests of a session the later one is served") { tell_everywhere(two_at_once); }
