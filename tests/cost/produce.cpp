#include "cost/rig.hpp"

#include "base/assert.hpp"
#include "protocol/api.hpp"
#include "protocol/messages/produce.hpp"

#include <rafka/record_batch.hpp>

namespace rafka::cost {
namespace {

constexpr int16_t version = 9;  // The first flexible one.
constexpr int warm_up = 100;

void run(Rig& rig, int count, int32_t partitions) {
    rig.create_topic("cost", partitions);
    auto frame = rig.produce_frame("cost", partitions, 1000);
    for (int i = 0; i < warm_up + count; ++i) rig.call(frame);
    Rig::check_produced(rig.call(frame), partitions);
}

}  // namespace

std::vector<std::byte> Rig::produce_frame(std::string_view name, int32_t partitions, size_t value_size) {
    std::string value(value_size, 'v');
    BatchBuilder builder;
    builder.add({1'700'000'000'000}, std::nullopt, as_bytes(value));
    auto batch = builder.build();
    std::vector<protocol::ProduceRequest::Partition> data{size_t(partitions)};
    for (int32_t i = 0; i < partitions; ++i) {
        data[size_t(i)].index = i;
        data[size_t(i)].records = batch;
    }
    protocol::ProduceRequest::Topic topic;
    topic.name = name;
    topic.partition_data = data;
    protocol::ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 30'000;
    request.topic_data = {&topic, 1};
    return frame_of(request, version);
}

void Rig::check_produced(Bytes answer, int32_t partitions) {
    auto id = wire::read_response_header(answer, protocol::flexible_response_header(protocol::ProduceResponse::schema.key, version));
    ASSERT(id.has_value());
    wire::Arena arena;
    auto response = wire::read<protocol::ProduceResponse>(answer, arena, version);
    ASSERT(response && response->responses.size() == 1);
    auto& answers = response->responses[0].partition_responses;
    ASSERT(answers.size() == size_t(partitions));
    for (auto& partition : answers) ASSERT(partition.error_code == protocol::ErrorCode::none);
}

void produce(Rig& rig, int count) { run(rig, count, 1); }
void produce_many(Rig& rig, int count) { run(rig, count, 64); }

}  // namespace rafka::cost
