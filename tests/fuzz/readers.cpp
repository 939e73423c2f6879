// Every Reader, and the headers of frames. The input names a message and has its bytes:
//
//   int8 kind (0 request, 1 response, 2 record, 3 control; more is a header), int16 API key or type, int8 version, bytes
//
// What is read must be what is written: nothing is lost, nothing grows, and a second round changes nothing. Memory is
// bounded by the length of the input.

#include "fuzz/input.hpp"
#include "fuzz/target.hpp"
#include "protocol/every_message.hpp"

#include "base/assert.hpp"
#include "protocol/api.hpp"
#include "wire/frame.hpp"

#include <cstring>
#include <random>
#include <vector>

using namespace rafka;
using namespace rafka::protocol;

namespace {

constexpr size_t kind_count = 4;
constexpr size_t prefix_size = 4;
// An element of an array is at least a byte of input. In memory the largest is under 200 bytes, and arrays grow by four
// and leave what they outgrow, which makes 16/3 of it.
constexpr size_t memory_per_byte = 1100;
constexpr size_t memory_fixed = 64 << 10;

const AnyMessage* find(size_t kind, int16_t key, int16_t version) {
    for (auto& message : every_message()) {
        if (size_t(message.kind) != kind || message.schema.key != key) continue;
        if (message.schema.oldest <= version && version <= message.schema.newest) return &message;
    }
    return nullptr;
}

void check_message(const AnyMessage& message, Bytes bytes, int16_t version) {
    auto memory = message.memory(bytes, version);
    ASSERT(memory <= memory_per_byte * bytes.size() + memory_fixed);
    auto again = message.rewrite(bytes, version);
    if (!again) return;
    // Unknown tags, defaults that are spelled out and long forms of numbers are not written again.
    ASSERT(again->size() <= bytes.size());
    auto stable = message.rewrite(*again, version);
    ASSERT(stable && *stable == *again);
    auto text = message.describe(bytes, version);
    auto text_again = message.describe(*again, version);
    ASSERT(text && text_again && *text == *text_again);
}

void check_headers(Bytes bytes) {
    auto rest = bytes;
    if (auto header = wire::read_request_header(rest, flexible_request)) {
        wire::Payload out;
        wire::write_request_header(out, *header, flexible_request(header->api_key, header->api_version));
        out.append(rest);
        ASSERT(out.size() <= bytes.size());
        auto again = out.bytes();
        auto same = wire::read_request_header(again, flexible_request);
        ASSERT(same && same->api_key == header->api_key && same->api_version == header->api_version);
        ASSERT(same->correlation_id == header->correlation_id && same->client_id == header->client_id);
        ASSERT(as_text(again) == as_text(rest));
    }
    for (bool flexible : {false, true}) {
        rest = bytes;
        auto id = wire::read_response_header(rest, flexible);
        if (!id) continue;
        wire::Payload out;
        wire::write_response_header(out, *id, flexible);
        ASSERT(out.size() + rest.size() <= bytes.size());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fuzz::Input input(data, size);
    auto kind = input.byte();
    auto key = input.number<int16_t>();
    auto version = int16_t(input.number<int8_t>());
    if (kind >= kind_count) {
        check_headers(input.rest());
        return 0;
    }
    auto* message = find(kind, key, version);
    if (!message) return -1;
    check_message(*message, input.rest(), version);
    return 0;
}

// Mostly damages what is there; now and then begins anew with a whole message, so that each has its turn.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max, unsigned seed) {
    std::mt19937_64 random_bits(seed);
    constexpr uint64_t fresh_one_in = 16;
    if (size_max <= prefix_size) return LLVMFuzzerMutate(data, size, size_max);
    if (size >= prefix_size && random_bits() % fresh_one_in != 0) {
        // The prefix chooses one of a few hundred messages: chance would miss it.
        return prefix_size + LLVMFuzzerMutate(data + prefix_size, size - prefix_size, size_max - prefix_size);
    }
    auto all = every_message();
    auto& message = all[random_bits() % all.size()];
    auto version = int16_t(message.schema.oldest + int16_t(random_bits() % uint64_t(message.schema.newest - message.schema.oldest + 1)));
    auto bytes = message.sample(random_bits(), version);
    if (prefix_size + bytes.size() > size_max) return LLVMFuzzerMutate(data, size, size_max);
    data[0] = uint8_t(message.kind);
    store_be(reinterpret_cast<std::byte*>(data + 1), message.schema.key);
    data[3] = uint8_t(version);
    if (!bytes.empty()) std::memcpy(data + prefix_size, bytes.data(), bytes.size());
    return prefix_size + bytes.size();
}
