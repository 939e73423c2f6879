#include "answers.hpp"

#include "batches.hpp"
#include "protocol/messages/fetch.hpp"
#include "protocol/messages/produce.hpp"
#include "requests.hpp"

namespace rafka::bench {
namespace {

using namespace protocol;

template <class M>
std::vector<std::byte> answer_of(const M& message, int16_t version) {
    wire::Payload out;
    wire::begin_frame(out);
    wire::write_response_header(out, 0, flexible_response_header(M::schema.key, version));
    wire::write(out, message, version);
    wire::end_frame(out);
    return out.copy();
}

}  // namespace

std::vector<std::byte> produce_answer() {
    ProduceResponse::Partition partition;
    ProduceResponse::Topic topic;
    topic.partition_responses = {&partition, 1};
    ProduceResponse response;
    response.responses = {&topic, 1};
    return answer_of(response, produce_version);
}

std::vector<std::byte> fetch_answer() {
    auto batch = batch_of(65536);
    std::vector<Bytes> batches((1 << 20) / batch.size(), Bytes(batch));
    FetchResponse::Partition partition;
    partition.high_watermark = Offset{1};
    partition.records = wire::Pieces{batches};
    FetchResponse::Topic topic;
    topic.partitions = {&partition, 1};
    FetchResponse response;
    response.responses = {&topic, 1};
    return answer_of(response, fetch_version);
}

}  // namespace rafka::bench
