#pragma once

// Every message that exists, behind one face, for tests that treat all alike. A new one joins by standing in the list of
// every_message.cpp; the table of APIs and a test see to it that none is forgotten.

#include "wire/versions.hpp"

#include <rafka/result.hpp>

#include <cstddef>
#include <cstdint>
#include <rafka/bytes.hpp>
#include <span>
#include <string>
#include <vector>

namespace rafka::protocol {

struct AnyMessage {
    enum class Kind : uint8_t { request, response, record, control, group_key, group_value };

    Kind kind{};
    std::string name;
    wire::Schema schema;
    // The bytes that our Writer makes of a message filled from that seed.
    std::vector<std::byte> (*sample)(uint64_t seed, int16_t version);
    // Reads and writes again. Malformed when something is left over.
    Result<std::vector<std::byte>> (*rewrite)(Bytes bytes, int16_t version);
    Result<std::string> (*describe)(Bytes bytes, int16_t version);
    // What reading takes of the arena, whether it succeeds or not.
    size_t (*memory)(Bytes bytes, int16_t version);
};

std::span<const AnyMessage> every_message();
std::string_view to_text(AnyMessage::Kind kind);

}  // namespace rafka::protocol
