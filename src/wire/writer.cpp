#include "wire/writer.hpp"

namespace rafka::wire {

void Writer::varint(uint32_t x) {
    auto size = unsigned_varint_size(x);
    write_unsigned_varint(out_.extend(size), x);
}

void Writer::string(std::string_view x) {
    if (x.size() > string_bytes_max) [[unlikely]] {
        size_t end = string_bytes_max;
        while (end > 0 && (uint8_t(x[end]) & 0xC0) == 0x80) --end;  // Not within a UTF-8 character.
        x = x.substr(0, end);
    }
    length<std::string_view>(int64_t(x.size()));
    out_.append(as_bytes(x));
}

void Writer::pieces(const Pieces& x) {
    length<Pieces>(int64_t(x.size()));
    for (auto piece : x.list) out_.borrow(piece);
}

void Writer::size_before(size_t start) {
    auto size = out_.own_size() - start;
    auto room = unsigned_varint_size(size);
    out_.insert(start, room);
    write_unsigned_varint(out_.at(start), uint32_t(size));
}

}  // namespace rafka::wire
