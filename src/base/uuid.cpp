#include <rafka/types.hpp>

namespace rafka {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t text_size = 22;  // 128 bits by 6, the last character carries two.

}  // namespace

std::string to_text(const Uuid& id) {
    std::string text;
    text.reserve(text_size);
    uint32_t bits = 0;
    int bit_count = 0;
    for (auto byte : id.bytes) {
        bits = bits << 8 | uint32_t(byte);
        for (bit_count += 8; bit_count >= 6; bit_count -= 6) text += alphabet[bits >> (bit_count - 6) & 63];
    }
    text += alphabet[bits << (6 - bit_count) & 63];
    return text;
}

std::optional<Uuid> uuid_of(std::string_view text) {
    if (text.size() != text_size) return {};
    Uuid id;
    uint32_t bits = 0;
    int bit_count = 0;
    size_t at = 0;
    for (char c : text) {
        auto digit = alphabet.find(c);
        if (digit == alphabet.npos) return {};
        bits = bits << 6 | uint32_t(digit);
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            id.bytes[at++] = std::byte(bits >> bit_count);
        }
    }
    // Java's decoder ignores the four bits that are left over; an id of ours never has them.
    if (bits & ((1u << bit_count) - 1)) return {};
    return id;
}

}  // namespace rafka
