#include "world/broker_story.hpp"

#include "protocol/messages/create_topics.hpp"
#include "protocol/messages/init_producer_id.hpp"
#include "protocol/messages/metadata.hpp"
#include "world/repeat.hpp"

#include <algorithm>

namespace rafka::world {
namespace {

using protocol::ErrorCode;

constexpr std::string_view topic_name = "story";

broker::Config config() {
    broker::Config config;
    config.log_directory = "/data/log";
    metadata::Endpoint listener;
    listener.name = "PLAINTEXT";
    listener.host = "127.0.0.1";
    config.listeners = {listener};
    config.controller.name = "CONTROLLER";
    config.controller.host = "localhost";
    config.controller.port = 9093;
    return config;
}

// Old versions of the requests do not know the newer of the two.
bool is_offline(ErrorCode error) {
    return error == ErrorCode::kafka_storage_error || error == ErrorCode::not_leader_or_follower;
}

std::vector<std::byte> flat(const std::optional<wire::Pieces>& records) {
    std::vector<std::byte> bytes;
    if (!records) return bytes;
    for (auto piece : records->list) bytes.insert(bytes.end(), piece.begin(), piece.end());
    return bytes;
}

}  // namespace

BrokerLife::BrokerLife(uint64_t seed, uint32_t loop_count, const sim::MachineOptions& options, sim::Disk disk,
                       Archive& archive, BrokerModel& model, BrokerCoverage& coverage)
    : machine(seed, options, std::move(disk)),
      world(machine, seed + 1, loop_count),
      archive_(archive),
      model_(model),
      coverage_(coverage),
      broker_(world.loops(), config(), "localhost") {}

Task<bool> BrokerLife::start() {
    std::string problem;
    auto started = co_await broker_.start(&problem);
    if (!started) {
        require(machine.injected_count() > 0, "the broker does not start: {} ({})", problem, to_text(started.error()));
        ++coverage_.failed_starts;
        co_return false;
    }
    is_up_ = true;
    bool found = co_await find_topic();
    if (!found) co_return false;
    co_return co_await judge();
}

Task<bool> BrokerLife::stop() {
    if (!is_up_) co_return false;
    auto stopped = co_await broker_.stop();
    require(stopped.has_value() || machine.injected_count() > 0, "the broker does not stop: {}",
            stopped ? "" : to_text(stopped.error()));
    co_return stopped.has_value();
}

Task<bool> BrokerLife::find_topic() {
    Client client(Loop::current());
    auto connected = co_await client.connect(port());
    require(connected.has_value(), "nobody listens");
    protocol::MetadataRequest ask;
    protocol::MetadataRequest::Topic name;
    name.name = topic_name;
    ask.topics = client.one(name);
    ask.allow_auto_topic_creation = false;
    bool usable = false;
    for (int tries = 0; tries < 5 && !usable; ++tries) {
        auto answer = co_await client.call<protocol::MetadataResponse>(ask, 12);
        if (!answer) break;
        require(answer->topics.size() == 1, "a question about one topic has {} answers", answer->topics.size());
        auto& topic = answer->topics[0];
        if (topic.error_code == ErrorCode::none) {
            if (model_.topic_known) require(topic.topic_id == model_.topic_id, "the topic has another id");
            require(topic.partitions.size() == model_.logs.size(), "the topic has {} partitions", topic.partitions.size());
            model_.topic_known = true;
            model_.topic_id = topic.topic_id;
            usable = true;
            break;
        }
        require(!model_.topic_known, "the topic was created, and is not there: error {}", int(topic.error_code));
        protocol::CreateTopicsRequest create;
        protocol::CreateTopicsRequest::Topic wanted;
        wanted.name = topic_name;
        wanted.num_partitions = int32_t(model_.logs.size());
        wanted.replication_factor = 1;
        protocol::CreateTopicsRequest::Config interval;
        interval.name = "index.interval.bytes";
        interval.value = "1";
        wanted.configs = client.one(interval);
        create.topics = client.one(wanted);
        auto created = co_await client.call<protocol::CreateTopicsResponse>(create, 7);
        if (!created) break;
        auto error = created->topics[0].error_code;
        require(error == ErrorCode::none || machine.injected_count() > 0, "the topic is not created: error {}", int(error));
        if (error != ErrorCode::none) break;
        model_.topic_known = true;
        model_.topic_id = created->topics[0].topic_id;
    }
    co_await client.disconnect();
    require(usable || has_trouble(), "the topic is not usable");
    co_return usable;
}

protocol::FetchRequest BrokerLife::fetch_request(Client& client, int32_t partition, Offset from, int32_t wait_ms,
                                                 int32_t bytes_max) {
    protocol::FetchRequest request;
    request.max_wait_ms = wait_ms;
    request.min_bytes = 1;
    request.max_bytes = bytes_max;
    protocol::FetchRequest::Partition wish;
    wish.partition = partition;
    wish.fetch_offset = from;
    wish.partition_max_bytes = bytes_max;
    protocol::FetchRequest::Topic topic;
    topic.topic = topic_name;
    topic.topic_id = model_.topic_id;
    topic.partitions = client.one(wish);
    request.topics = client.one(topic);
    return request;
}

protocol::ProduceRequest BrokerLife::produce_request(Client& client, int32_t partition, Bytes batch) {
    protocol::ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 1000;
    protocol::ProduceRequest::Partition data;
    data.index = partition;
    data.records = batch;
    protocol::ProduceRequest::Topic topic;
    topic.name = topic_name;
    topic.topic_id = model_.topic_id;
    topic.partition_data = client.one(data);
    request.topic_data = client.one(topic);
    return request;
}

Task<Result<std::vector<FoundBatch>>> BrokerLife::read_all(Client& client, int32_t partition, Offset& high_watermark) {
    std::vector<FoundBatch> all;
    Offset next{0};
    for (;;) {
        auto request = fetch_request(client, partition, next, 0, 1 + int32_t(world.loop().io().random() % 20000));
        CO_TRY(auto response, co_await client.call<protocol::FetchResponse>(request, 13));
        require(response.responses.size() == 1 && response.responses[0].partitions.size() == 1, "a fetch has no answer");
        auto& answer = response.responses[0].partitions[0];
        if (answer.error_code == ErrorCode::kafka_storage_error) co_return fail(Errc::storage_offline);
        require(answer.error_code == ErrorCode::none, "a fetch at {} has error {}", next.value, int(answer.error_code));
        high_watermark = answer.high_watermark;
        auto batches = take_apart(archive_, flat(answer.records));
        client.forget();
        if (batches.empty()) {
            require(next >= high_watermark, "L2: nothing to read at {}, below the high watermark {}", next.value, high_watermark.value);
            co_return all;
        }
        for (auto& batch : batches) {
            next = batch.base_offset + batch.record_count;
            all.push_back(std::move(batch));
        }
    }
}

Task<bool> BrokerLife::judge() {
    Client client(Loop::current());
    auto connected = co_await client.connect(port());
    require(connected.has_value(), "nobody listens");
    bool readable = true;
    for (size_t i = 0; i < model_.logs.size() && readable; ++i) {
        Offset high_watermark;
        auto found = co_await read_all(client, int32_t(i), high_watermark);
        readable = found.has_value();
        require(readable || has_trouble(), "partition {} is not readable: {}", i, readable ? "" : to_text(found.error()));
        if (!readable) break;
        coverage_.judged_batches += found->size();
        model_.logs[i].judge(*found, high_watermark, false);
    }
    co_await client.disconnect();
    co_return readable;
}

Task<bool> BrokerLife::take_answer(Client& client, ProducerModel& producer, BatchId id, size_t attempt,
                                   int16_t version, bool& done, bool& gives_up) {
    auto& log = model_.logs[producer.partition];
    auto response = co_await client.receive<protocol::ProduceResponse>(version);
    if (!response) {
        require(has_trouble() || stopping, "a produce request has no answer: {}", to_text(response.error()));
        log.fail(attempt);
        ++coverage_.unknown;
        co_return false;
    }
    require(response->responses.size() == 1 && response->responses[0].partition_responses.size() == 1, "a produce has no answer");
    auto answer = response->responses[0].partition_responses[0];
    if (answer.error_code == ErrorCode::none) {
        if (log.place_of(id)) ++coverage_.known_before_ack;
        log.acknowledge(attempt, archive_.at(id), answer.base_offset);
        ++coverage_.acknowledged;
        done = true;
        co_return true;
    }
    log.fail(attempt);
    // An older batch of a producer may be stored and yet be out of order after a restart; it starts anew, as clients do.
    bool out_of_order = answer.error_code == ErrorCode::out_of_order_sequence_number && producer.id >= 0;
    bool offline = is_offline(answer.error_code);
    require(out_of_order || (offline && machine.injected_count() > 0), "a produce request has error {}", int(answer.error_code));
    coverage_.offline += offline;
    gives_up = true;
    co_return true;
}

Task<> BrokerLife::produce(size_t which, uint32_t fresh, uint32_t window, sim::Random random) {
    auto& loop = Loop::current();
    auto& producer = model_.producers[which];
    Client client(loop);
    bool idempotent = which % 2 == 0;
    if (!idempotent) producer.outstanding.clear();
    uint32_t failures = 0;
    while (!stopping && failures < 5 && (fresh > 0 || !producer.outstanding.empty())) {
        if (!client.is_connected()) {
            auto connected = co_await client.connect(port());
            if (!connected) break;
        }
        if (idempotent && producer.id < 0) {
            protocol::InitProducerIdRequest request;
            request.transaction_timeout_ms = 1000;
            auto answer = co_await client.call<protocol::InitProducerIdResponse>(request, int16_t(random.between(0, 5)));
            if (!answer || answer->error_code != ErrorCode::none) {
                require(has_trouble() || stopping, "no producer id");
                co_await client.disconnect();
                ++failures;
                continue;
            }
            require(model_.producer_ids.insert(answer->producer_id).second, "T6: producer id {} is given out twice", answer->producer_id);
            producer.id = answer->producer_id;
            producer.epoch = answer->producer_epoch;
            producer.next_sequence = 0;
        }
        while (producer.outstanding.size() < window && fresh > 0) {
            BatchBuilder::Options options;
            options.producer_id = producer.id;
            options.producer_epoch = producer.id >= 0 ? producer.epoch : int16_t(-1);
            options.base_sequence = producer.id >= 0 ? producer.next_sequence : -1;
            // Not zstd, which old versions of the requests may not carry.
            options.codec = random.chance(0.2) ? Codec(random.below(4)) : Codec::none;
            auto size = random.chance(0.1) ? random.between(1, 60000) : random.between(1, 900);
            auto& batch = archive_.make(options, int32_t(random.between(1, 10)), size, loop.io().wall(), false);
            producer.outstanding.push_back(batch.id);
            producer.next_sequence += batch.record_count;
            --fresh;
        }
        auto version = int16_t(random.between(3, 13));
        auto sending = producer.outstanding;
        sending.resize(std::min<size_t>(sending.size(), window));
        std::vector<size_t> attempts;
        bool connected = true, gives_up = false;
        for (auto id : sending) {
            attempts.push_back(model_.logs[producer.partition].begin(id));
            auto request = produce_request(client, int32_t(producer.partition), archive_.at(id).bytes);
            auto sent = co_await client.send(request, version);
            connected = sent.has_value();
            if (!connected) break;
        }
        for (size_t i = 0; i < attempts.size() && connected; ++i) {
            bool done = false;
            connected = co_await take_answer(client, producer, sending[i], attempts[i], version, done, gives_up);
            if (done || producer.id < 0) std::erase(producer.outstanding, sending[i]);
        }
        if (producer.id < 0) producer.outstanding.clear();  // What is in doubt stays so.
        client.forget();
        if (gives_up) {
            producer.outstanding.clear();
            producer.id = -1;
            ++failures;
        }
        if (!connected) {
            co_await client.disconnect();
            ++failures;
        }
        if (random.chance(0.5)) co_await sleep_for(loop, Duration(random.below(20'000'000)));
    }
    co_await client.disconnect();
}

Task<> BrokerLife::consume(int32_t partition, uint32_t count, sim::Random random) {
    Client client(Loop::current());
    auto& log = model_.logs[size_t(partition)];
    auto connected = co_await client.connect(port());
    Offset next = no_offset;
    while (!stopping && connected && count-- > 0) {
        if (next == no_offset || random.chance(0.2)) next = Offset{int64_t(random.below(uint64_t(log.watermark().value) + 1))};
        auto wait_ms = int32_t(random.below(30));
        auto request = fetch_request(client, partition, next, wait_ms, int32_t(random.between(1, 20000)));
        auto response = co_await client.call<protocol::FetchResponse>(request, int16_t(random.between(4, 17)));
        if (!response) {
            require(has_trouble() || stopping, "a fetch has no answer: {}", to_text(response.error()));
            break;
        }
        ++coverage_.fetches;
        require(response->responses.size() == 1, "a fetch has no answer");
        auto& answer = response->responses[0].partitions[0];
        if (is_offline(answer.error_code) && machine.injected_count() > 0) break;
        require(answer.error_code == ErrorCode::none, "a fetch at {} has error {}", next.value, int(answer.error_code));
        auto batches = take_apart(archive_, flat(answer.records));
        coverage_.long_polls += batches.empty() && wait_ms > 0;
        auto high_watermark = answer.high_watermark;
        if (!batches.empty()) require(batches.front().base_offset <= next, "L1: asked for {}, got a batch at {}", next.value, batches.front().base_offset.value);
        for (auto& batch : batches) {
            require(batch.base_offset + batch.record_count <= high_watermark, "L4: offset {} is beyond the high watermark {}",
                    batch.base_offset.value, high_watermark.value);
            next = batch.base_offset + batch.record_count;
            log.see(batch);
        }
        // Answers to several consumers may cross; one of them sees it in order.
        if (high_watermark > log.watermark()) log.see_watermark(high_watermark);
        client.forget();
    }
    co_await client.disconnect();
}

Task<> BrokerLife::work(sim::Random random) {
    std::vector<std::unique_ptr<Scope>> scopes;
    for (auto* loop : world.loops()) scopes.push_back(std::make_unique<Scope>(*loop));
    auto& home = Loop::current();
    auto start = [&](Loop* loop, Scope& scope, Task<> task) -> Task<> {
        co_await Hop(*loop);
        scope.start(std::move(task));
        co_await Hop(home);
    };
    for (size_t i = 0; i < model_.producers.size(); ++i) {
        auto which = random.below(scopes.size());
        co_await start(&world.loop(which), *scopes[which],
                       produce(i, uint32_t(random.below(15)), uint32_t(random.between(1, 5)), random.fork()));
    }
    for (size_t i = 0; i < model_.logs.size(); ++i) {
        auto which = random.below(scopes.size());
        co_await start(&world.loop(which), *scopes[which], consume(int32_t(i), uint32_t(random.below(25)), random.fork()));
    }
    for (auto& scope : scopes) co_await call_on(world.loop(size_t(&scope - scopes.data())), scope->drained());
}

}  // namespace rafka::world
