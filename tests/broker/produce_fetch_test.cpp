// Records on their way in and out, in every version that is served.

#include "harness.hpp"

#include "base/endian.hpp"
#include "protocol/messages/delete_topics.hpp"
#include "protocol/messages/init_producer_id.hpp"
#include "protocol/messages/list_offsets.hpp"
#include "protocol/messages/offset_for_leader_epoch.hpp"

using namespace rafka;
using namespace rafka::test;
using namespace rafka::protocol;

namespace {

Task<> every_version(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    auto topic = co_await create_topic(client, "versions", 2);
    int64_t next = 0;
    for (int16_t version = 3; version <= 13; ++version) {
        INFO("produce ", version);
        auto batch = batch_of("a", "b");
        auto done = co_await produce(client, "versions", topic.topic_id, 1, batch, version);
        CHECK(done.error_code == ErrorCode::none);
        CHECK(done.index == 1);
        CHECK(done.base_offset == Offset{next});
        CHECK(done.log_append_time_ms == no_timestamp);
        if (version >= 5) CHECK(done.log_start_offset == Offset{0});
        next += 2;
    }
    for (int16_t version = 4; version <= 17; ++version) {
        INFO("fetch ", version);
        auto response = co_await client.call<FetchResponse>(fetch_request(client, "versions", topic.topic_id, 1, 19), version);
        CHECK(response.error_code == ErrorCode::none);
        CHECK(response.session_id == 0);
        auto partition = only(response);
        CHECK(partition.error_code == ErrorCode::none);
        CHECK(partition.partition_index == 1);
        CHECK(partition.high_watermark == Offset{next});
        CHECK(partition.last_stable_offset == Offset{next});
        CHECK_FALSE(partition.aborted_transactions.has_value());
        CHECK(values_of(partition) == "a b a b ");  // From the batch that contains the offset on.
        auto other = co_await client.call<FetchResponse>(fetch_request(client, "versions", topic.topic_id, 0, 0), version);
        CHECK(values_of(only(other)) == "");
        CHECK(only(other).high_watermark == Offset{0});
    }
    co_await client.close();
}

Task<> refusals(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    auto topic = co_await create_topic(client, "refusing", 1);
    auto good = batch_of("x");

    auto absent = co_await produce(client, "nobody", {}, 0, good, 12);
    CHECK(absent.error_code == ErrorCode::unknown_topic_or_partition);
    CHECK(absent.base_offset == no_offset);
    CHECK_FALSE(absent.error_message.has_value());  // Clients have sentences of their own for codes.
    auto absent_id = co_await produce(client, "", Uuid{{std::byte{9}}}, 0, good, 13);
    CHECK(absent_id.error_code == ErrorCode::unknown_topic_id);
    auto beyond = co_await produce(client, "", topic.topic_id, 1, good);
    CHECK(beyond.error_code == ErrorCode::unknown_topic_or_partition);

    auto damaged = good;
    damaged.back() ^= std::byte{1};
    auto corrupt = co_await produce(client, "", topic.topic_id, 0, damaged);
    CHECK(corrupt.error_code == ErrorCode::corrupt_message);
    auto twice = good;
    twice.insert(twice.end(), good.begin(), good.end());
    auto two_batches = co_await produce(client, "", topic.topic_id, 0, twice);
    CHECK(two_batches.error_code == ErrorCode::invalid_record);
    auto none = co_await produce(client, "", topic.topic_id, 0, Bytes());
    CHECK(none.error_code == ErrorCode::invalid_record);
    std::string much(1 << 21, 'x');
    auto large = batch_of(much);
    auto too_large = co_await produce(client, "", topic.topic_id, 0, large);
    CHECK(too_large.error_code == ErrorCode::message_too_large);
    CHECK_FALSE(too_large.error_message.has_value());

    protocol::CreateTopicsRequest::Config policy;
    policy.name = "cleanup.policy";
    policy.value = "compact";
    auto compacted = co_await create_topic(client, "compacted", 2, one(client.arena(), policy));
    auto keyless = co_await produce(client, "", compacted.topic_id, 1, batch_of("x", "y"));
    CHECK(keyless.error_code == ErrorCode::invalid_record);
    CHECK(keyless.record_errors.size() == 2);
    CHECK(keyless.record_errors[0].batch_index_error_message ==
          "Compacted topic cannot accept message without key in topic partition compacted-1");
    CHECK(keyless.error_message ==
          "One or more records have been rejected due to 2 record errors in total, and only showing the first three errors at most: "
          "[RecordError(batchIndex=0, message='Compacted topic cannot accept message without key in topic partition compacted-1'), "
          "RecordError(batchIndex=1, message='Compacted topic cannot accept message without key in topic partition compacted-1')]");
    auto late = good;
    store_be(late.data() + batch_at::base_timestamp, int64_t(4'102'444'800'000));  // Of the year 2100.
    update_crc(late);
    auto misdated = co_await produce(client, "", topic.topic_id, 0, late);
    CHECK(misdated.error_code == ErrorCode::invalid_timestamp);
    CHECK(misdated.error_message == "One or more records have been rejected due to invalid timestamp");

    auto acks = produce_request(client, "", topic.topic_id, 0, good, 2);
    auto wrong_acks = co_await client.call<ProduceResponse>(acks, 13);
    CHECK(wrong_acks.responses[0].partition_responses[0].error_code == ErrorCode::invalid_required_acks);
    auto transactional = produce_request(client, "", topic.topic_id, 0, good);
    transactional.transactional_id = "t";
    auto no_transactions = co_await client.call<ProduceResponse>(transactional, 13);
    CHECK(no_transactions.responses[0].partition_responses[0].error_code == ErrorCode::unsupported_version);

    // Nothing of all that was stored.
    auto fetched = co_await client.call<FetchResponse>(fetch_request(client, "", topic.topic_id, 0, 0), 17);
    CHECK(only(fetched).high_watermark == Offset{0});
    auto out_of_range = co_await client.call<FetchResponse>(fetch_request(client, "", topic.topic_id, 0, 1), 17);
    CHECK(only(out_of_range).error_code == ErrorCode::offset_out_of_range);
    CHECK(only(out_of_range).high_watermark == no_offset);
    CHECK(only(out_of_range).log_start_offset == no_offset);
    auto unknown = co_await client.call<FetchResponse>(fetch_request(client, "nobody", {}, 0, 0), 12);
    CHECK(only(unknown).error_code == ErrorCode::unknown_topic_or_partition);
    auto unknown_id = co_await client.call<FetchResponse>(fetch_request(client, "", Uuid{{std::byte{9}}}, 0, 0, 1000), 13);
    CHECK(only(unknown_id).error_code == ErrorCode::unknown_topic_id);
    co_await client.close();
}

// Pipelined batches of one producer: each must find the place its sequence says.
Task<> order(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    auto topic = co_await create_topic(client, "ordered", 6);
    auto id = co_await client.call<InitProducerIdResponse>(InitProducerIdRequest{}, 5);
    CHECK(id.error_code == ErrorCode::none);
    CHECK(id.producer_epoch == 0);
    auto other = co_await client.call<InitProducerIdResponse>(InitProducerIdRequest{}, 0);
    CHECK(other.producer_id != id.producer_id);
    constexpr int32_t rounds = 40;
    std::deque<std::vector<std::byte>> batches;
    for (int32_t i = 0; i < rounds; ++i) {
        // One and several partitions in turn, so that both ways through the handler meet.
        auto request = produce_request(client, "", topic.topic_id, 0, batches.emplace_back(batch_from(id.producer_id, i)));
        if (i % 2) {
            auto partitions = client.arena().make<ProduceRequest::Partition>(6);
            for (int32_t p = 0; p < 6; ++p) {
                partitions[size_t(p)].index = p;
                partitions[size_t(p)].records = batches.emplace_back(batch_from(id.producer_id, p == 0 ? i : i / 2));
            }
            request.topic_data = one(client.arena(), ProduceRequest::Topic{"", topic.topic_id, partitions});
        }
        co_await client.send(request, 13);
    }
    for (int32_t i = 0; i < rounds; ++i) {
        auto response = co_await client.receive<ProduceResponse>(13);
        for (auto& partition : response.responses[0].partition_responses) {
            CHECK(partition.error_code == ErrorCode::none);
            CHECK(partition.base_offset == Offset{partition.index == 0 ? i : i / 2});
        }
    }
    auto again = co_await produce(client, "", topic.topic_id, 0, batch_from(id.producer_id, rounds - 1));
    CHECK(again.error_code == ErrorCode::none);
    CHECK(again.base_offset == Offset{rounds - 1});
    auto gap = co_await produce(client, "", topic.topic_id, 0, batch_from(id.producer_id, rounds + 5));
    CHECK(gap.error_code == ErrorCode::out_of_order_sequence_number);
    co_await client.close();
}

Task<> without_acks(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    auto topic = co_await create_topic(client, "unacked", 1);
    auto batch = batch_of("quiet");
    co_await client.send(produce_request(client, "", topic.topic_id, 0, batch, 0), 13);
    client.skip_id();
    auto fetched = co_await client.call<FetchResponse>(fetch_request(client, "", topic.topic_id, 0, 0, 5000), 17);
    CHECK(values_of(only(fetched)) == "quiet ");
    co_await client.send(produce_request(client, "", topic.topic_id, 7, batch, 0), 13);
    bool hung_up = co_await client.is_hung_up();
    CHECK(hung_up);
    co_await client.close();
}

Task<> produce_later(Client& client, Uuid id, int32_t partition, std::string_view value, Duration after) {
    co_await sleep_for(client.loop(), after);
    auto done = co_await produce(client, "", id, partition, batch_of(value));
    CHECK(done.error_code == ErrorCode::none);
}

// Their records take memory until the client has them.
Task<> one_fetch_at_a_time(Loop& loop, Broker& broker) {
    Client reader(loop), writer(loop);
    co_await reader.connect(broker);
    co_await writer.connect(broker);
    auto topic = co_await create_topic(writer, "in-turn", 1);
    Scope scope(loop);
    co_await reader.send(fetch_request(reader, "", topic.topic_id, 0, 0, 30'000), 17);
    co_await reader.send(fetch_request(reader, "", topic.topic_id, 0, 0), 17);
    scope.start(produce_later(writer, topic.topic_id, 0, "one", std::chrono::milliseconds(30)));
    for (int i = 0; i < 2; ++i) {
        // Had the second been looked at beside the first, there would have been nothing yet.
        auto response = co_await reader.receive<FetchResponse>(17);
        CHECK(values_of(only(response)) == "one ");
    }
    co_await scope.drained();
    co_await reader.close();
    co_await writer.close();
}

Task<> waiting(Loop& loop, Broker& broker) {
    Client reader(loop), writer(loop);
    co_await reader.connect(broker);
    co_await writer.connect(broker);
    auto topic = co_await create_topic(writer, "waited-for", 4);
    Scope scope(loop);
    auto start = loop.now();
    scope.start(produce_later(writer, topic.topic_id, 2, "one", std::chrono::milliseconds(30)));
    auto request = fetch_request(reader, "", topic.topic_id, 0, 0, 30'000);
    auto wishes = reader.arena().make<FetchRequest::Partition>(4);
    for (size_t i = 0; i < 4; ++i) {
        wishes[i] = request.topics[0].partitions[0];
        wishes[i].partition = int32_t(i);
    }
    request.topics = one(reader.arena(), FetchRequest::Topic{"", topic.topic_id, wishes});
    auto response = co_await reader.call<FetchResponse>(request, 17);
    CHECK(loop.now() - start < std::chrono::seconds(20));
    CHECK(response.responses.size() == 1);
    CHECK(response.responses[0].partitions.size() == 4);
    for (auto& partition : response.responses[0].partitions) CHECK(values_of(partition) == (partition.partition_index == 2 ? "one " : ""));
    co_await scope.drained();

    // One batch is not enough, two are.
    auto size = int32_t(batch_of("two").size());
    scope.start(produce_later(writer, topic.topic_id, 0, "two", std::chrono::milliseconds(10)));
    co_await scope.drained();
    start = loop.now();
    scope.start(produce_later(writer, topic.topic_id, 0, "six", std::chrono::milliseconds(30)));
    auto both = co_await reader.call<FetchResponse>(fetch_request(reader, "", topic.topic_id, 0, 0, 30'000, size + 1), 17);
    CHECK(values_of(only(both)) == "two six ");
    CHECK(loop.now() - start < std::chrono::seconds(20));
    co_await scope.drained();

    start = loop.now();
    auto late = co_await reader.call<FetchResponse>(fetch_request(reader, "", topic.topic_id, 0, 1, 100, 10'000), 17);
    CHECK(values_of(only(late)) == "six ");
    CHECK(loop.now() - start >= std::chrono::milliseconds(100));

    // The topic goes while somebody waits for it.
    start = loop.now();
    co_await reader.send(fetch_request(reader, "", topic.topic_id, 3, 0, 30'000), 17);
    DeleteTopicsRequest deletion;
    DeleteTopicsRequest::Topic doomed;
    doomed.topic_id = topic.topic_id;
    deletion.topics = one(writer.arena(), doomed);
    auto deleted = co_await writer.call<DeleteTopicsResponse>(deletion, 6);
    CHECK(deleted.responses[0].error_code == ErrorCode::none);
    CHECK(deleted.responses[0].name == "waited-for");
    auto ended = co_await reader.receive<FetchResponse>(17);
    CHECK(only(ended).error_code != ErrorCode::none);
    CHECK(loop.now() - start < std::chrono::seconds(20));

    // A client that leaves while it waits does not keep the broker from stopping.
    co_await reader.send(fetch_request(reader, "", topic.topic_id, 3, 0, 1'000'000), 17);
    co_await reader.close();
    co_await writer.close();
}

Task<> sessions(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    auto topic = co_await create_topic(client, "session", 3);
    auto request = fetch_request(client, "", topic.topic_id, 0, 0);
    request.session_epoch = 0;
    auto wishes = client.arena().make<FetchRequest::Partition>(3);
    for (size_t i = 0; i < 3; ++i) {
        wishes[i] = request.topics[0].partitions[0];
        wishes[i].partition = int32_t(i);
    }
    request.topics = one(client.arena(), FetchRequest::Topic{"", topic.topic_id, wishes});
    auto full = co_await client.call<FetchResponse>(request, 17);
    CHECK(full.session_id != 0);
    CHECK(full.responses[0].partitions.size() == 3);

    FetchRequest incremental;
    incremental.session_id = full.session_id;
    incremental.max_bytes = 1 << 20;
    incremental.min_bytes = 1;
    incremental.session_epoch = 1;
    auto nothing = co_await client.call<FetchResponse>(incremental, 17);
    CHECK(nothing.error_code == ErrorCode::none);
    CHECK(nothing.session_id == full.session_id);
    CHECK(nothing.responses.empty());

    co_await produce(client, "", topic.topic_id, 1, batch_of("new"));
    incremental.session_epoch = 2;
    auto changed = co_await client.call<FetchResponse>(incremental, 17);
    CHECK(only(changed).partition_index == 1);
    CHECK(values_of(only(changed)) == "new ");

    incremental.session_epoch = 2;
    auto repeated = co_await client.call<FetchResponse>(incremental, 17);
    CHECK(repeated.error_code == ErrorCode::invalid_fetch_session_epoch);
    CHECK(repeated.responses.empty());
    incremental.session_epoch = 3;
    auto by_name = co_await client.call<FetchResponse>(incremental, 12);
    CHECK(by_name.error_code == ErrorCode::fetch_session_topic_id_error);

    // The partition with records moved on and is forgotten; an unknown topic joins.
    auto joins = fetch_request(client, "", Uuid{{std::byte{9}}}, 0, 0);
    joins.session_id = full.session_id;
    joins.session_epoch = 3;
    auto forgotten = client.arena().make<int32_t>(1);
    forgotten[0] = 1;
    joins.forgotten_topics_data = one(client.arena(), FetchRequest::ForgottenTopic{"", topic.topic_id, forgotten});
    auto joined = co_await client.call<FetchResponse>(joins, 17);
    CHECK(only(joined).error_code == ErrorCode::unknown_topic_id);

    incremental.session_epoch = -1;
    auto closing = co_await client.call<FetchResponse>(incremental, 17);
    CHECK(closing.session_id == 0);
    incremental.session_epoch = 4;
    auto gone = co_await client.call<FetchResponse>(incremental, 17);
    CHECK(gone.error_code == ErrorCode::fetch_session_id_not_found);
    co_await client.close();
}

Task<ListOffsetsResponse::Partition> offset_at(Client& client, std::string_view topic, int64_t time, int16_t version, int32_t epoch = -1) {
    ListOffsetsRequest request;
    request.replica_id = -1;
    ListOffsetsRequest::Partition partition;
    partition.timestamp = Timestamp{time};
    partition.current_leader_epoch = epoch;
    request.topics = one(client.arena(), ListOffsetsRequest::Topic{topic, one(client.arena(), partition)});
    auto response = co_await client.call<ListOffsetsResponse>(request, version);
    co_return response.topics[0].partitions[0];
}

Task<> offsets(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    auto topic = co_await create_topic(client, "offsets", 1);
    auto empty = co_await offset_at(client, "offsets", -3, 11);
    CHECK(empty.offset == no_offset);
    BatchBuilder builder;
    static constexpr int64_t times[] = {1000, 3000, 2000};
    for (auto time : times) builder.add(Timestamp{time}, std::nullopt, as_bytes("x"));
    auto batch = builder.build();
    co_await produce(client, "", topic.topic_id, 0, batch);
    struct Expected { int64_t time, offset, timestamp; int16_t since; };
    static constexpr Expected cases[] = {{-1, 3, -1, 1}, {-2, 0, -1, 1}, {-3, 1, 3000, 7}, {-4, 0, -1, 8}, {-5, -1, -1, 9}, {-6, -1, -1, 11},
                              {0, 0, 1000, 1}, {1001, 1, 3000, 1}, {3001, -1, -1, 1}, {-7, -1, -1, 99}};
    for (auto& expected : cases) {
        for (int16_t version = 1; version <= 11; ++version) {
            INFO("time ", expected.time, " version ", version);
            auto found = co_await offset_at(client, "offsets", expected.time, version);
            if (version < expected.since) {
                CHECK(found.error_code == ErrorCode::unsupported_version);
                continue;
            }
            CHECK(found.error_code == ErrorCode::none);
            CHECK(found.offset == Offset{expected.offset});
            CHECK(found.timestamp == Timestamp{expected.timestamp});
            if (version >= 4) CHECK(found.leader_epoch == (expected.offset < 0 ? -1 : 0));
        }
    }
    auto fenced = co_await offset_at(client, "offsets", -1, 11, 5);
    CHECK(fenced.error_code == ErrorCode::unknown_leader_epoch);
    auto absent = co_await offset_at(client, "nobody", -1, 11);
    CHECK(absent.error_code == ErrorCode::unknown_topic_or_partition);

    OffsetForLeaderEpochRequest request;
    OffsetForLeaderEpochRequest::Partition asked;
    request.topics = one(client.arena(), OffsetForLeaderEpochRequest::Topic{"offsets", one(client.arena(), asked)});
    for (int16_t version = 2; version <= 4; ++version) {
        auto end = co_await client.call<OffsetForLeaderEpochResponse>(request, version);
        CHECK(end.topics[0].partitions[0].error_code == ErrorCode::none);
        CHECK(end.topics[0].partitions[0].leader_epoch == 0);
        CHECK(end.topics[0].partitions[0].end_offset == Offset{3});
    }
    co_await client.close();
}

}  // namespace

TEST_CASE("records come back as they were sent, whatever the version") { tell_everywhere(every_version); }
TEST_CASE("what cannot be stored or found is refused with Kafka's code") { tell_everywhere(refusals); }
TEST_CASE("pipelined batches of a connection keep their order") { tell_everywhere(order); }
TEST_CASE("acks=0 has no answer, and an error ends the connection") { tell_everywhere(without_acks); }
TEST_CASE("a fetch waits for what is missing, and no longer") { tell_everywhere(waiting); }
TEST_CASE("a connection has one fetch at a time") { tell_everywhere(one_fetch_at_a_time); }
TEST_CASE("a session's answers name what changed") { tell_everywhere(sessions); }
TEST_CASE("positions are found by name and by time") { tell_everywhere(offsets); }
