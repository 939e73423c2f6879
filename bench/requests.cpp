#include "requests.hpp"

#include "base/endian.hpp"
#include "protocol/messages/create_topics.hpp"
#include "protocol/messages/delete_topics.hpp"
#include "protocol/messages/metadata.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace rafka::bench {
namespace {

using namespace protocol;

std::string sentence(const char* what, std::string_view name, const std::string& why) {
    return std::string(what) + " " + std::string(name) + ": " + why;
}

template <class Response>
Task<std::string> ask_one(SocketAddress address, Loop& loop, std::vector<std::byte> frame, int16_t version, ErrorCode (*error_of)(const Response&)) {
    auto socket = co_await io::Socket::connect(loop.io(), address);
    if (!socket) co_return "cannot connect";
    Answer<Response> answer;
    auto bytes = co_await ask(*socket, std::move(frame));
    co_await socket->close();
    if (!bytes) co_return "no answer";
    answer.bytes = std::move(*bytes);
    if (!read_answer(answer, version)) co_return "an answer that cannot be read";
    auto error = error_of(answer.message);
    co_return error == ErrorCode::none ? std::string() : "error code " + std::to_string(int(error));
}

// Of the only topic, or of its first partition that is not served.
ErrorCode error_of_topic(const MetadataResponse& response) {
    if (response.topics.empty()) return ErrorCode::unknown_topic_or_partition;
    auto& topic = response.topics[0];
    if (topic.error_code != ErrorCode::none) return topic.error_code;
    for (auto& partition : topic.partitions) {
        if (partition.error_code != ErrorCode::none) return partition.error_code;
    }
    return topic.partitions.empty() ? ErrorCode::leader_not_available : ErrorCode::none;
}

}  // namespace

SocketAddress loopback(int port) {
    SocketAddress address;
    address.ip = {127, 0, 0, 1};
    address.port = uint16_t(port);
    return address;
}

Task<Result<std::vector<std::byte>>> ask(const io::Socket& socket, std::vector<std::byte> frame) {
    CO_CHECKED(co_await socket.send_all(Bytes(frame)));
    std::vector<std::byte> answer(4);
    CO_CHECKED(co_await socket.receive_exact(answer));
    answer.resize(size_t(load_be<int32_t>(answer.data())));
    CO_CHECKED(co_await socket.receive_exact(answer));
    co_return answer;
}

Task<std::string> create_topic(Loop& loop, SocketAddress address, std::string name, int32_t partitions, TopicConfigs configs) {
    std::vector<CreateTopicsRequest::Config> wanted;
    for (auto& [key, value] : configs) wanted.push_back({key, value});
    CreateTopicsRequest::Topic topic;
    topic.name = name;
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    topic.configs = wanted;
    CreateTopicsRequest request;
    request.topics = {&topic, 1};
    request.timeout_ms = 30'000;
    auto problem = co_await ask_one<CreateTopicsResponse>(
        address, loop, frame_of(request, create_topics_version), create_topics_version, +[](const CreateTopicsResponse& response) {
            return response.topics.empty() ? ErrorCode::unknown_server_error : response.topics[0].error_code;
        });
    if (!problem.empty()) co_return sentence("create topic", name, problem);
    // A broker may answer before it serves the topic, long before where its disk is busy.
    MetadataRequest::Topic wanted_topic;
    wanted_topic.name = name;
    MetadataRequest metadata;
    metadata.topics = wire::Array<MetadataRequest::Topic>(&wanted_topic, 1);
    metadata.allow_auto_topic_creation = false;
    for (auto until = loop.now() + std::chrono::seconds(30); loop.now() < until;) {
        problem = co_await ask_one<MetadataResponse>(address, loop, frame_of(metadata, metadata_version), metadata_version, error_of_topic);
        if (problem.empty()) break;
        co_await sleep_for(loop, std::chrono::milliseconds(50));
    }
    co_return problem.empty() ? std::string() : sentence("created topic", name, problem);
}

Task<std::string> delete_topic(Loop& loop, SocketAddress address, std::string name) {
    std::string_view view = name;
    DeleteTopicsRequest request;
    request.topic_names = {&view, 1};
    request.timeout_ms = 30'000;
    auto problem = co_await ask_one<DeleteTopicsResponse>(
        address, loop, frame_of(request, delete_topics_version), delete_topics_version, +[](const DeleteTopicsResponse& response) {
            return response.responses.empty() ? ErrorCode::unknown_server_error : response.responses[0].error_code;
        });
    co_return problem.empty() ? std::string() : sentence("delete topic", name, problem);
}

double seconds_to_first_metadata(const SocketAddress& address, double limit) {
    auto start = std::chrono::steady_clock::now();
    auto passed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    MetadataRequest request;
    request.topics.emplace();
    auto frame = frame_of(request, metadata_version);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (passed() < limit) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) {
            if (write(fd, frame.data(), frame.size()) == ssize_t(frame.size())) {
                std::byte answer[4];
                if (read(fd, answer, sizeof answer) == 4) {
                    close(fd);
                    return passed();
                }
            }
        }
        close(fd);
        usleep(200);
    }
    return -1;
}

}  // namespace rafka::bench
