#pragma once

// Requests to any broker that speaks Kafka's protocol: encoded whole, sent, answered. The versions are the newest that
// name topics, so that every broker gets the same bytes.

#include "io/socket.hpp"
#include "protocol/api.hpp"
#include "wire/frame.hpp"
#include "wire/message.hpp"

#include <rafka/loop.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rafka::bench {

inline constexpr int16_t produce_version = 12, fetch_version = 12, list_offsets_version = 7, create_topics_version = 5,
                         delete_topics_version = 4, metadata_version = 9;
inline constexpr size_t correlation_at = wire::frame_prefix_size + 4;

SocketAddress loopback(int port);

template <class M>
std::vector<std::byte> frame_of(const M& message, int16_t version) {
    wire::Payload out;
    wire::begin_frame(out);
    wire::RequestHeader header;
    header.api_key = M::schema.key;
    header.api_version = version;
    header.client_id = "load";
    wire::write_request_header(out, header, M::schema.flexible(version));
    wire::write(out, message, version);
    wire::end_frame(out);
    return out.copy();
}

// The body of the answer, without its size.
Task<Result<std::vector<std::byte>>> ask(const io::Socket& socket, std::vector<std::byte> frame);

// An answer, as long as its bytes.
template <class M>
struct Answer {
    std::vector<std::byte> bytes;
    wire::Arena arena;
    M message;
};
template <class M>
Result<> read_answer(Answer<M>& answer, int16_t version) {
    Bytes rest = answer.bytes;
    TRY(auto id, wire::read_response_header(rest, protocol::flexible_response_header(M::schema.key, version)));
    (void)id;
    TRY(answer.message, wire::read<M>(rest, answer.arena, version));
    return {};
}

using TopicConfigs = std::vector<std::pair<std::string, std::string>>;

// What was wrong; empty: nothing.
Task<std::string> create_topic(Loop& loop, SocketAddress address, std::string name, int32_t partitions, TopicConfigs configs = {});
Task<std::string> delete_topic(Loop& loop, SocketAddress address, std::string name);

// Seconds from now to the first answered Metadata request, trying to connect all along; nothing within `limit`: negative.
double seconds_to_first_metadata(const SocketAddress& address, double limit);

}  // namespace rafka::bench
