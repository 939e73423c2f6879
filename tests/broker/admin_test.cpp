// What clients ask about the cluster, and what they change in it.

#include "harness.hpp"

#include "protocol/messages/alter_configs.hpp"
#include "protocol/messages/api_versions.hpp"
#include "protocol/messages/create_partitions.hpp"
#include "protocol/messages/delete_topics.hpp"
#include "protocol/messages/describe_cluster.hpp"
#include "protocol/messages/describe_configs.hpp"
#include "protocol/messages/describe_topic_partitions.hpp"
#include "protocol/messages/incremental_alter_configs.hpp"
#include "protocol/messages/metadata.hpp"

#include <algorithm>

using namespace rafka;
using namespace rafka::test;
using namespace rafka::protocol;

namespace {

ApiVersionsRequest introduction(std::string_view name = "test-client") {
    ApiVersionsRequest request;
    request.client_software_name = name;
    request.client_software_version = "1.0";
    return request;
}

Task<> api_versions(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    for (int16_t version = 0; version <= 4; ++version) {
        INFO(version);
        auto response = co_await client.call<ApiVersionsResponse>(introduction(), version);
        CHECK(response.error_code == ErrorCode::none);
        CHECK(response.api_keys.size() == size_t(std::ranges::count_if(apis, &Api::is_served)));
        CHECK(response.api_keys[0].api_key == 0);
        CHECK(response.api_keys[0].min_version == 0);  // Though 0 to 2 are refused.
        CHECK(response.api_keys[0].max_version == 13);
        if (version < 3) continue;
        CHECK(response.finalized_features_epoch >= 0);
        CHECK(response.finalized_features.size() == 2);
        for (auto& feature : response.finalized_features) CHECK(feature.max_version_level == feature.min_version_level);
        auto& supported = response.supported_features;
        CHECK(std::any_of(supported.begin(), supported.end(), [](auto& x) { return x.name == "metadata.version"; }));
        CHECK(std::any_of(supported.begin(), supported.end(), [](auto& x) { return x.min_version == 0; }) == (version >= 4));
    }
    static constexpr std::string_view wrong_names[] = {"", "-a", "a-", "a b", "\xc3\xbc"};
    for (auto name : wrong_names) {
        auto refused = co_await client.call<ApiVersionsResponse>(introduction(name), 3);
        CHECK(refused.error_code == ErrorCode::invalid_request);
    }

    // Too new: the body is not even looked at, and the answer is one that every client can read.
    wire::Payload payload;
    wire::begin_frame(payload);
    wire::write_request_header(payload, {18, 99, 1234, "future"}, true);
    payload.append(as_bytes("\x01\x02whatever"));
    wire::end_frame(payload);
    Client future(loop);
    co_await future.connect(broker);
    co_await future.send_bytes(payload.bytes());
    for (int i = 1; i < 1234; ++i) future.skip_id();
    auto response = co_await future.receive<ApiVersionsResponse>(0);
    CHECK(response.error_code == ErrorCode::unsupported_version);
    CHECK(response.api_keys.size() == 1);
    CHECK(response.api_keys[0].api_key == 18);
    CHECK(response.api_keys[0].max_version == 4);
    co_await future.close();
    co_await client.close();
}

Task<> describe(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    auto topic = co_await create_topic(client, "described", 3);
    CHECK(topic.error_code == ErrorCode::none);
    CHECK(topic.num_partitions == 3);
    CHECK(topic.replication_factor == 1);
    CHECK(topic.configs->size() > 20);
    for (int16_t version = 0; version <= 13; ++version) {
        INFO(version);
        MetadataRequest request;
        if (version == 0) request.topics.emplace();  // All of them.
        auto response = co_await client.call<MetadataResponse>(request, version);
        CHECK(response.brokers.size() == 1);
        CHECK(response.brokers[0].port == broker.bound().front().port);
        if (version >= 1) CHECK(response.controller_id == response.brokers[0].node_id);
        if (version >= 2) CHECK(response.cluster_id == broker.cluster_id());
        CHECK(response.topics.size() == 1);
        CHECK(response.topics[0].name == "described");
        CHECK(response.topics[0].partitions.size() == 3);
        for (auto& partition : response.topics[0].partitions) {
            CHECK(partition.error_code == ErrorCode::none);
            CHECK(partition.leader_id == response.brokers[0].node_id);
            CHECK(partition.replica_nodes.size() == 1);
            CHECK(partition.offline_replicas.empty());
        }
        if (version >= 10) CHECK(response.topics[0].topic_id == topic.topic_id);
        if (version == 0) continue;
        request.topics.emplace();
        auto none = co_await client.call<MetadataResponse>(request, version);
        CHECK(none.topics.empty());
    }

    MetadataRequest by_id;
    auto asked = client.arena().make<MetadataRequest::Topic>(2);
    asked[0].topic_id = topic.topic_id;
    asked[1].topic_id = Uuid{{std::byte{7}}};
    by_id.topics = asked;
    by_id.include_topic_authorized_operations = true;
    auto found = co_await client.call<MetadataResponse>(by_id, 13);
    CHECK(found.topics.size() == 2);
    CHECK(found.topics[0].error_code == ErrorCode::unknown_topic_id);
    CHECK_FALSE(found.topics[0].name.has_value());
    CHECK(found.topics[1].name == "described");
    CHECK(found.topics[1].topic_authorized_operations == 3576);
    asked[0].name = "described";
    by_id.topics = asked.first(1);
    auto too_early = co_await client.call<MetadataResponse>(by_id, 11);
    CHECK(too_early.topics[0].error_code == ErrorCode::invalid_request);

    MetadataRequest wrong;
    auto names = client.arena().make<MetadataRequest::Topic>(2);
    names[0].name = "a/b";
    names[1].name = "absent";
    wrong.topics = names;
    wrong.allow_auto_topic_creation = false;
    auto absent = co_await client.call<MetadataResponse>(wrong, 12);
    CHECK(absent.topics[0].error_code == ErrorCode::invalid_topic_exception);
    CHECK(absent.topics[1].error_code == ErrorCode::unknown_topic_or_partition);
    wrong.allow_auto_topic_creation = true;
    co_await client.call<MetadataResponse>(wrong, 12);
    bool created = false;
    for (int i = 0; i < 500 && !created; ++i) {
        co_await sleep_for(loop, std::chrono::milliseconds(10));
        auto again = co_await client.call<MetadataResponse>(wrong, 12);
        for (auto& made : again.topics) created |= made.name == "absent" && made.error_code == ErrorCode::none;
    }
    CHECK(created);

    for (int16_t version = 0; version <= 2; ++version) {
        DescribeClusterRequest request;
        request.include_cluster_authorized_operations = true;
        auto cluster = co_await client.call<DescribeClusterResponse>(request, version);
        CHECK(cluster.cluster_id == broker.cluster_id());
        CHECK(cluster.brokers.size() == 1);
        CHECK(cluster.cluster_authorized_operations == 8096);
        request.endpoint_type = 2;
        auto controllers = co_await client.call<DescribeClusterResponse>(request, version);
        CHECK(controllers.error_code == (version == 0 ? ErrorCode::none : ErrorCode::mismatched_endpoint_type));
    }
    co_await client.close();
}

Task<> pages(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    static constexpr std::string_view names[] = {"p1", "p2", "p3"};
    for (auto name : names) co_await create_topic(client, name, 3);
    DescribeTopicPartitionsRequest request;
    std::string seen;
    for (int page = 0; page < 10; ++page) {
        request.response_partition_limit = 2;
        auto response = co_await client.call<DescribeTopicPartitionsResponse>(request, 0);
        for (auto& topic : response.topics) {
            for (auto& partition : topic.partitions) seen += std::string(*topic.name) + ":" + std::to_string(partition.partition_index) + " ";
        }
        request.cursor = response.next_cursor;
        if (!request.cursor) break;
        seen += "| ";
    }
    CHECK(seen == "p1:0 p1:1 | p1:2 p2:0 | p2:1 p2:2 | p3:0 p3:1 | p3:2 ");
    co_await client.close();
}

Task<> topics(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    auto first = co_await create_topic(client, "twice", 1);
    CHECK(first.error_code == ErrorCode::none);
    auto second = co_await create_topic(client, "twice", 1);
    CHECK(second.error_code == ErrorCode::topic_already_exists);
    auto bad_name = co_await create_topic(client, "no good", 1);
    CHECK(bad_name.error_code == ErrorCode::invalid_topic_exception);
    auto bad_config = co_await create_topic(client, "configured", 1, one(client.arena(), CreateTopicsRequest::Config{"no.such.key", "1"}));
    CHECK(bad_config.error_code == ErrorCode::invalid_config);
    CHECK(bad_config.error_message.has_value());
    auto metadata_topic = co_await create_topic(client, "__cluster_metadata", 1);
    CHECK(metadata_topic.error_code == ErrorCode::invalid_request);

    CreateTopicsRequest only_check;
    CreateTopicsRequest::Topic checked;
    checked.name = "checked";
    checked.num_partitions = -1;
    checked.replication_factor = -1;
    only_check.topics = one(client.arena(), checked);
    only_check.validate_only = true;
    auto valid = co_await client.call<CreateTopicsResponse>(only_check, 7);
    CHECK(valid.topics[0].error_code == ErrorCode::none);
    auto not_there = co_await produce(client, "checked", {}, 0, batch_of("x"), 12);
    CHECK(not_there.error_code == ErrorCode::unknown_topic_or_partition);

    CreatePartitionsRequest more;
    more.topics = one(client.arena(), CreatePartitionsRequest::Topic{"twice", 4, std::nullopt});
    for (int16_t version = 0; version <= 3; ++version) {
        auto grown = co_await client.call<CreatePartitionsResponse>(more, version);
        CHECK(grown.results[0].error_code == (version == 0 ? ErrorCode::none : ErrorCode::invalid_partitions));
    }
    auto last = co_await produce(client, "", first.topic_id, 3, batch_of("x"));
    CHECK(last.error_code == ErrorCode::none);

    // Deleted and made again: the same name, but not the same records.
    for (int16_t version = 1; version <= 6; ++version) {
        INFO(version);
        DeleteTopicsRequest deletion;
        std::string_view name = "twice";
        if (version < 6) deletion.topic_names = one(client.arena(), name);
        else deletion.topics = one(client.arena(), DeleteTopicsRequest::Topic{name, {}});
        auto deleted = co_await client.call<DeleteTopicsResponse>(deletion, version);
        CHECK(deleted.responses[0].error_code == ErrorCode::none);
        auto gone = co_await client.call<DeleteTopicsResponse>(deletion, version);
        CHECK(gone.responses[0].error_code == ErrorCode::unknown_topic_or_partition);
        auto again = co_await create_topic(client, "twice", 1);
        CHECK(again.error_code == ErrorCode::none);
        CHECK(again.topic_id != first.topic_id);
        auto done = co_await produce(client, "", again.topic_id, 0, batch_of("x"));
        CHECK(done.base_offset == Offset{0});
    }
    co_await client.close();
}

Task<ErrorCode> set_config(Client& client, int8_t type, std::string_view name, std::string_view key, int8_t operation, std::optional<std::string_view> value) {
    IncrementalAlterConfigsRequest request;
    IncrementalAlterConfigsRequest::Resource resource;
    resource.resource_type = type;
    resource.resource_name = name;
    resource.configs = one(client.arena(), IncrementalAlterConfigsRequest::Config{key, operation, value});
    request.resources = one(client.arena(), resource);
    auto response = co_await client.call<IncrementalAlterConfigsResponse>(request, 1);
    CHECK(response.responses.size() == 1);
    co_return response.responses[0].error_code;
}

Task<DescribeConfigsResponse::Config> config_of_topic(Client& client, std::string_view topic, std::string_view key, int16_t version = 4) {
    DescribeConfigsRequest request;
    DescribeConfigsRequest::Resource resource;
    resource.resource_type = 2;
    resource.resource_name = topic;
    resource.configuration_keys = one(client.arena(), key);
    request.resources = one(client.arena(), resource);
    request.include_synonyms = true;
    auto response = co_await client.call<DescribeConfigsResponse>(request, version);
    bool found = response.results.size() == 1 && response.results[0].configs.size() == 1;
    CHECK(found);
    co_return found ? response.results[0].configs[0] : DescribeConfigsResponse::Config{};
}

Task<> configs(Loop& loop, Broker& broker) {
    Client client(loop);
    co_await client.connect(broker);
    auto topic = co_await create_topic(client, "tuned", 3);
    auto before = co_await config_of_topic(client, "tuned", "max.message.bytes");
    CHECK(before.value == "1048588");
    CHECK(before.config_source == 5);
    CHECK(before.config_type == 3);
    std::string half_kilobyte(500, 'x');
    auto batch = batch_of(std::string_view(half_kilobyte));
    auto fits = co_await produce(client, "", topic.topic_id, 2, batch);
    CHECK(fits.error_code == ErrorCode::none);

    // Takes effect on every loop before the answer comes.
    auto altered = co_await set_config(client, 2, "tuned", "max.message.bytes", 0, "200");
    CHECK(altered == ErrorCode::none);
    auto after = co_await config_of_topic(client, "tuned", "max.message.bytes");
    CHECK(after.value == "200");
    CHECK(after.config_source == 1);
    CHECK(after.synonyms.size() == 2);
    for (int32_t partition = 0; partition < 3; ++partition) {
        auto refused = co_await produce(client, "", topic.topic_id, partition, batch);
        CHECK(refused.error_code == ErrorCode::message_too_large);
    }
    auto removed = co_await set_config(client, 2, "tuned", "max.message.bytes", 1, std::nullopt);
    CHECK(removed == ErrorCode::none);
    auto fits_again = co_await produce(client, "", topic.topic_id, 2, batch);
    CHECK(fits_again.error_code == ErrorCode::none);

    // Of all brokers, under the topic's.
    auto of_brokers = co_await set_config(client, 4, "", "message.max.bytes", 0, "300");
    CHECK(of_brokers == ErrorCode::none);
    auto inherited = co_await config_of_topic(client, "tuned", "max.message.bytes");
    CHECK(inherited.value == "300");
    CHECK(inherited.config_source == 3);
    auto refused = co_await produce(client, "", topic.topic_id, 0, batch);
    CHECK(refused.error_code == ErrorCode::message_too_large);

    auto unknown_key = co_await set_config(client, 2, "tuned", "no.such.key", 0, "1");
    CHECK(unknown_key == ErrorCode::invalid_config);
    auto bad_value = co_await set_config(client, 2, "tuned", "max.message.bytes", 0, "many");
    CHECK(bad_value == ErrorCode::invalid_config);
    auto null_value = co_await set_config(client, 2, "tuned", "max.message.bytes", 0, std::nullopt);
    CHECK(null_value == ErrorCode::invalid_request);
    auto bad_operation = co_await set_config(client, 2, "tuned", "max.message.bytes", 9, "1");
    CHECK(bad_operation == ErrorCode::invalid_request);
    auto other_broker = co_await set_config(client, 4, "77", "message.max.bytes", 0, "1000");
    CHECK(other_broker == ErrorCode::invalid_request);
    auto no_resource = co_await set_config(client, 99, "x", "y", 0, "1");
    CHECK(no_resource == ErrorCode::invalid_request);
    auto no_topic = co_await set_config(client, 2, "absent", "max.message.bytes", 0, "1000");
    CHECK(no_topic == ErrorCode::unknown_topic_or_partition);

    // The old way: what is not named goes back to its default.
    auto segment = co_await set_config(client, 2, "tuned", "segment.bytes", 0, "2000000");
    CHECK(segment == ErrorCode::none);
    AlterConfigsRequest all;
    AlterConfigsRequest::Resource resource;
    resource.resource_type = 2;
    resource.resource_name = "tuned";
    resource.configs = one(client.arena(), AlterConfigsRequest::Config{"max.message.bytes", "4000"});
    all.resources = one(client.arena(), resource);
    for (int16_t version = 0; version <= 2; ++version) {
        auto response = co_await client.call<AlterConfigsResponse>(all, version);
        CHECK(response.responses[0].error_code == ErrorCode::none);
    }
    auto replaced = co_await config_of_topic(client, "tuned", "max.message.bytes", 1);
    CHECK(replaced.value == "4000");
    auto reset = co_await config_of_topic(client, "tuned", "segment.bytes", 1);
    CHECK(reset.value == "1073741824");

    DescribeConfigsRequest describe;
    auto resources = client.arena().make<DescribeConfigsRequest::Resource>(3);
    resources[0].resource_type = 4;
    resources[0].resource_name = "1";
    resources[1].resource_type = 2;
    resources[1].resource_name = "absent";
    resources[2].resource_type = 99;
    describe.resources = resources;
    describe.include_documentation = true;
    for (int16_t version = 1; version <= 4; ++version) {
        auto response = co_await client.call<DescribeConfigsResponse>(describe, version);
        CHECK(response.results.size() == 3);
        CHECK(response.results[0].error_code == ErrorCode::none);
        CHECK(response.results[0].configs.size() > 50);
        CHECK(response.results[1].error_code == ErrorCode::unknown_topic_or_partition);
        CHECK(response.results[2].error_code == ErrorCode::invalid_request);
    }
    co_await client.close();
}

}  // namespace

TEST_CASE("ApiVersions says what is served, in words that the client knows") { tell_everywhere(api_versions); }
TEST_CASE("the cluster is described as each version has it") { tell_everywhere(describe); }
TEST_CASE("a long description comes in pages") { tell_everywhere(pages); }
TEST_CASE("topics come, grow and go") { tell_everywhere(topics); }
TEST_CASE("configuration takes effect when it is acknowledged") { tell_everywhere(configs); }
