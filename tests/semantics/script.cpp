#include "semantics/script.hpp"

#include <stdexcept>
#include <thread>

namespace rafka::semantics {

std::vector<int16_t> versions_of(int16_t api_key) {
    auto* api = find_api(api_key);
    std::vector<int16_t> versions{api->oldest};
    auto middle = int16_t((api->oldest + api->served_newest) / 2);
    for (auto version : {middle, api->served_newest}) {
        if (version != versions.back()) versions.push_back(version);
    }
    return versions;
}

std::string Script::title(int16_t key, int16_t version, std::string_view label) {
    return std::string(find_api(key)->name) + ' ' + std::to_string(version) + ": " + std::string(label);
}

void Script::fail(const std::string& problem) { throw std::runtime_error(problem); }

bool Script::receive_body(Client& client, bool flexible, Bytes& body, std::string& problem) {
    std::vector<std::byte> frame;
    switch (client.receive(frame, std::chrono::seconds(20))) {
        case Client::Outcome::closed: problem = "closed"; return false;
        case Client::Outcome::silence:
            problem = "no answer";
            client.close();
            return false;
        case Client::Outcome::frame: break;
    }
    body = keep(std::move(frame));
    auto correlation_id = wire::read_response_header(body, flexible);
    if (!correlation_id) problem = "unreadable header";
    return correlation_id.has_value();
}

void Script::note(std::string title, std::string text) {
    transcript_.push_back({std::move(title), std::move(text), std::exchange(differs_, {}), std::exchange(instead_, {})});
}

std::vector<std::byte> Script::frame(int16_t api_key, int16_t version, Bytes body) {
    wire::Payload out;
    wire::begin_frame(out);
    wire::write_request_header(out, header(api_key, version), flexible_request(api_key, version));
    out.append(body);
    wire::end_frame(out);
    return out.copy();
}

void Script::raw(std::string_view label, Bytes bytes, std::chrono::milliseconds patience) {
    client_.send(bytes);
    std::vector<std::byte> frame;
    std::string text;
    switch (client_.receive(frame, patience)) {
        case Client::Outcome::closed: text = "closed"; break;
        case Client::Outcome::silence:
            text = "silence";
            client_.close();
            break;
        case Client::Outcome::frame:
            text = "answered";
            break;
    }
    note(std::string(label), text);
}

bool Script::is_served() { return quietly(MetadataRequest{.topics = Array<MetadataRequest::Topic>{}}, 12).brokers.size() == 1; }

void Script::settle() {
    if (settling_) std::this_thread::sleep_for(std::chrono::milliseconds(500));
}

Uuid Script::topic(std::string_view name, int32_t partitions, std::initializer_list<CreateTopicsRequest::Config> configs) {
    CreateTopicsRequest request{.topics = list<CreateTopicsRequest::Topic>({{.name = name, .num_partitions = partitions, .replication_factor = 1, .configs = list(configs)}})};
    auto answer = quietly(request, 7);
    if (answer.topics.size() != 1 || answer.topics[0].error_code != ErrorCode::none) fail("topic not created: " + std::string(name));
    return await_topic(name, partitions);
}

Uuid Script::await_topic(std::string_view name, int32_t partitions) {
    MetadataRequest metadata{.topics = list<MetadataRequest::Topic>({{.name = name}}), .allow_auto_topic_creation = false};
    ListOffsetsRequest offsets{.replica_id = -1};
    auto asked = arena.make<ListOffsetsRequest::Partition>(size_t(partitions));
    for (int32_t i = 0; i < partitions; ++i) asked[size_t(i)] = {i, -1, {-1}};
    offsets.topics = list<ListOffsetsRequest::Topic>({{name, asked}});
    for (int i = 0; i < 200; ++i) {
        auto known = quietly(metadata, 12);
        bool ready = known.topics.size() == 1 && known.topics[0].error_code == ErrorCode::none && known.topics[0].partitions.size() == size_t(partitions);
        if (ready) {
            for (auto& topic : quietly(offsets, 5).topics) {
                for (auto& partition : topic.partitions) ready &= partition.error_code == ErrorCode::none;
            }
        }
        if (ready) return known.topics[0].topic_id;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    fail("topic not ready: " + std::string(name));
}

void Script::append(std::string_view topic, int32_t partition, Bytes batch) {
    ProduceRequest request{.acks = -1, .timeout_ms = 5000, .topic_data = list<ProduceRequest::Topic>({{.name = topic, .partition_data = list<ProduceRequest::Partition>({{partition, batch}})}})};
    auto answer = quietly(request, 9);
    auto error = answer.responses[0].partition_responses[0].error_code;
    if (error != ErrorCode::none) fail("batch not appended to " + std::string(topic) + ": error " + std::to_string(int(error)));
}

}  // namespace rafka::semantics
