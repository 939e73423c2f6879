#include "wire/describe.hpp"

namespace rafka::wire {

void Describer::next() {
    if (!text_.empty() && text_.back() != '{' && text_.back() != '[') text_ += ", ";
}

void Describer::string(std::string_view x) {
    text_ += '"';
    for (char c : x) {
        constexpr auto digits = "0123456789abcdef";
        auto byte = uint8_t(c);
        if (c == '"' || c == '\\') (text_ += '\\') += c;
        else if (byte < 0x20 || byte == 0x7f) ((text_ += "\\x") += digits[byte >> 4]) += digits[byte & 15];
        else text_ += c;
    }
    text_ += '"';
}

void Describer::bytes(size_t size) { text_ += '<' + std::to_string(size) + " bytes>"; }

void Describer::uuid(const Uuid& x) { text_ += to_text(x); }

}  // namespace rafka::wire
