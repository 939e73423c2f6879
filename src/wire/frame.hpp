#pragma once

// What stands around a message: an int32 size, then a header.
//
//   request v1   int16 api_key, int16 api_version, int32 correlation_id, nullable string client_id
//   request v2   the same (client_id keeps its int16 length), then tagged fields
//   response v0  int32 correlation_id
//   response v1  the same, then tagged fields
//
// The later form belongs to flexible versions; answers to ApiVersions always have the earlier one.

#include "wire/payload.hpp"

#include <rafka/result.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace rafka::wire {

inline constexpr size_t frame_prefix_size = 4;

// The size that follows the four bytes of a prefix. Malformed when negative, too_large when over `bytes_max`.
Result<uint32_t> frame_size(Bytes prefix, uint32_t bytes_max);

struct RequestHeader {
    int16_t api_key = 0;
    int16_t api_version = 0;
    int32_t correlation_id = 0;
    std::optional<std::string_view> client_id;  // A view of the frame.
};

// Takes the header from the start of a frame (without its prefix); the body is left. `flexible` tells of a key and a
// version whether tagged fields follow.
Result<RequestHeader> read_request_header(Bytes& frame, bool (*flexible)(int16_t api_key, int16_t api_version));
void write_request_header(Payload& out, const RequestHeader& header, bool flexible);

Result<int32_t> read_response_header(Bytes& frame, bool flexible);
void write_response_header(Payload& out, int32_t correlation_id, bool flexible);

// A frame is everything that a payload holds between these two calls.
void begin_frame(Payload& out);
void end_frame(Payload& out);

}  // namespace rafka::wire
