#include "cost/rig.hpp"

#include "base/assert.hpp"
#include "protocol/api.hpp"
#include "protocol/messages/fetch.hpp"
#include "protocol/messages/produce.hpp"

#include <rafka/record_batch.hpp>

namespace rafka::cost {
namespace {

constexpr int16_t version = 11;  // The last one that names topics and has no tags.
constexpr int warm_up = 100;

std::vector<std::byte> batch() {
    std::string value(1000, 'v');
    BatchBuilder builder;
    builder.add({1'700'000'000'000}, std::nullopt, as_bytes(value));
    return builder.build();
}

void produce_one(Rig& rig) {
    auto bytes = batch();
    protocol::ProduceRequest::Partition data;
    data.records = bytes;
    protocol::ProduceRequest::Topic topic;
    topic.name = "cost";
    topic.partition_data = {&data, 1};
    protocol::ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 30'000;
    request.topic_data = {&topic, 1};
    rig.call(rig.frame_of(request, 9));
}

// What an answer says; its arrays live in `arena`.
protocol::FetchResponse read(Bytes answer, wire::Arena& arena) {
    auto id = wire::read_response_header(answer, protocol::flexible_response_header(protocol::FetchResponse::schema.key, version));
    ASSERT(id.has_value());
    auto response = wire::read<protocol::FetchResponse>(answer, arena, version);
    ASSERT(response && response->error_code == protocol::ErrorCode::none);
    return *response;
}

struct Asked {
    explicit Asked(int32_t partitions) : wishes(size_t(partitions)) {
        for (size_t i = 0; i < wishes.size(); ++i) {
            wishes[i].partition = int32_t(i);
            wishes[i].partition_max_bytes = 1 << 20;
        }
        topic.topic = "cost";
        topic.partitions = wishes;
        request.min_bytes = 0;
        request.topics = {&topic, 1};
    }
    std::vector<protocol::FetchRequest::Partition> wishes;
    protocol::FetchRequest::Topic topic;
    protocol::FetchRequest request;
};

}  // namespace

void fetch(Rig& rig, int count) {
    rig.create_topic("cost", 1);
    produce_one(rig);
    Asked asked(1);
    auto frame = rig.frame_of(asked.request, version);
    for (int i = 0; i < warm_up; ++i) {
        wire::Arena arena;
        auto response = read(rig.call(frame), arena);
        ASSERT(response.responses.size() == 1 && response.responses[0].partitions[0].records->size() > 1000);
    }
    for (int i = 0; i < count; ++i) rig.call(frame);
}

void fetch_waits(Rig& rig, int count) {
    rig.create_topic("cost", 1);
    produce_one(rig);
    Asked asked(1);
    asked.wishes[0].fetch_offset = {1};
    asked.request.min_bytes = 1;
    asked.request.max_wait_ms = 5;
    auto frame = rig.frame_of(asked.request, version);
    for (int i = 0; i < warm_up; ++i) {
        wire::Arena arena;
        auto response = read(rig.call(frame), arena);
        ASSERT(response.responses.size() == 1 && response.responses[0].partitions[0].records->size() == 0);
    }
    for (int i = 0; i < count; ++i) rig.call(frame);
}

namespace {

// Each request of a session has its own epoch. `records` says whether answers bring any.
void go_on(Rig& rig, Asked& asked, int count, bool records) {
    asked.request.session_epoch = 0;
    wire::Arena arena;
    auto opened = read(rig.call(rig.frame_of(asked.request, version)), arena);
    ASSERT(opened.session_id != 0 && opened.responses[0].partitions.size() == asked.wishes.size());
    protocol::FetchRequest request;
    request.min_bytes = 0;
    request.session_id = opened.session_id;
    for (int i = 0; i < warm_up + count; ++i) {
        request.session_epoch = i + 1;
        auto answer = rig.call(rig.frame_of(request, version));
        if (i >= warm_up) continue;
        auto response = read(answer, arena);
        ASSERT(response.session_id == opened.session_id);
        ASSERT(records ? response.responses[0].partitions[0].records->size() > 1000 : response.responses.empty());
    }
}

}  // namespace

void fetch_idle(Rig& rig, int count) {
    constexpr int32_t partitions = 500;
    rig.create_topic("cost", partitions);
    Asked asked(partitions);
    go_on(rig, asked, count, false);
}

void fetch_session(Rig& rig, int count) {
    rig.create_topic("cost", 100);
    produce_one(rig);
    Asked asked(100);
    go_on(rig, asked, count, true);
}

}  // namespace rafka::cost
