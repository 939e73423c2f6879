#include "cost/rig.hpp"

#include "base/assert.hpp"
#include "protocol/api.hpp"
#include "protocol/messages/produce.hpp"

#include <rafka/record_batch.hpp>

namespace rafka::cost {
namespace {

constexpr int16_t version = 9;  // The last one that names topics.
constexpr int warm_up = 100;

std::vector<std::byte> batch() {
    std::string value(1000, 'v');
    BatchBuilder builder;
    builder.add({1'700'000'000'000}, std::nullopt, as_bytes(value));
    return builder.build();
}

void check(Bytes answer, size_t partitions) {
    auto id = wire::read_response_header(answer, protocol::flexible_response_header(protocol::ProduceResponse::schema.key, version));
    ASSERT(id.has_value());
    wire::Arena arena;
    auto response = wire::read<protocol::ProduceResponse>(answer, arena, version);
    ASSERT(response && response->responses.size() == 1 && response->responses[0].partition_responses.size() == partitions);
    for (auto& partition : response->responses[0].partition_responses) ASSERT(partition.error_code == protocol::ErrorCode::none);
}

void run(Rig& rig, int count, int32_t partitions) {
    rig.create_topic("cost", partitions);
    auto bytes = batch();
    std::vector<protocol::ProduceRequest::Partition> data{size_t(partitions)};
    for (int32_t i = 0; i < partitions; ++i) {
        data[size_t(i)].index = i;
        data[size_t(i)].records = bytes;
    }
    protocol::ProduceRequest::Topic topic;
    topic.name = "cost";
    topic.partition_data = data;
    protocol::ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 30'000;
    request.topic_data = {&topic, 1};
    auto frame = rig.frame_of(request, version);
    for (int i = 0; i < warm_up; ++i) check(rig.call(frame), size_t(partitions));
    for (int i = 0; i < count; ++i) rig.call(frame);
    check(rig.call(frame), size_t(partitions));
}

}  // namespace

void produce(Rig& rig, int count) { run(rig, count, 1); }
void produce_many(Rig& rig, int count) { run(rig, count, 64); }

}  // namespace rafka::cost
