#include "wire/frame.hpp"

#include "base/endian.hpp"
#include "wire/reader.hpp"

#include <climits>

namespace rafka::wire {

Result<uint32_t> frame_size(Bytes prefix, uint32_t bytes_max) {
    ASSERT(prefix.size() >= frame_prefix_size);
    auto size = load_be<int32_t>(prefix.data());
    if (size < 0) return fail(Errc::malformed);
    if (uint32_t(size) > bytes_max) return fail(Errc::too_large);
    return uint32_t(size);
}

Result<RequestHeader> read_request_header(Bytes& frame, bool (*flexible)(int16_t api_key, int16_t api_version)) {
    if (frame.size() < 10) return fail(Errc::malformed);
    RequestHeader header;
    header.api_key = load_be<int16_t>(frame.data());
    header.api_version = load_be<int16_t>(frame.data() + 2);
    header.correlation_id = load_be<int32_t>(frame.data() + 4);
    auto length = load_be<int16_t>(frame.data() + 8);
    auto rest = frame.subspan(10);
    if (length < -1 || length > int64_t(rest.size())) return fail(Errc::malformed);
    if (length >= 0) {
        header.client_id = as_text(rest.first(size_t(length)));
        rest = rest.subspan(size_t(length));
    }
    if (flexible(header.api_key, header.api_version)) {
        Arena none;
        Reader tags(rest, none, header.api_version, true);
        tags.skip_tags();
        if (!tags.ok()) return fail(Errc::malformed);
        rest = tags.rest();
    }
    frame = rest;
    return header;
}

void write_request_header(Payload& out, const RequestHeader& header, bool flexible) {
    auto client_id = header.client_id.value_or("");
    ASSERT(client_id.size() <= string_bytes_max);
    auto* to = out.extend(10);
    store_be(to, header.api_key);
    store_be(to + 2, header.api_version);
    store_be(to + 4, header.correlation_id);
    store_be(to + 8, header.client_id ? int16_t(client_id.size()) : int16_t(-1));
    out.append(as_bytes(client_id));
    if (flexible) *out.extend(1) = std::byte{0};
}

Result<int32_t> read_response_header(Bytes& frame, bool flexible) {
    if (frame.size() < 4) return fail(Errc::malformed);
    auto correlation_id = load_be<int32_t>(frame.data());
    auto rest = frame.subspan(4);
    if (flexible) {
        Arena none;
        Reader tags(rest, none, 0, true);
        tags.skip_tags();
        if (!tags.ok()) return fail(Errc::malformed);
        rest = tags.rest();
    }
    frame = rest;
    return correlation_id;
}

void write_response_header(Payload& out, int32_t correlation_id, bool flexible) {
    store_be(out.extend(4), correlation_id);
    if (flexible) *out.extend(1) = std::byte{0};
}

void begin_frame(Payload& out) {
    ASSERT(out.empty());
    store_be(out.extend(frame_prefix_size), int32_t(0));
}

void end_frame(Payload& out) {
    ASSERT(out.size() - frame_prefix_size <= size_t(INT32_MAX));
    store_be(out.at(0), int32_t(out.size() - frame_prefix_size));
}

}  // namespace rafka::wire
