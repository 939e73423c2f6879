#include "wire/reader.hpp"

namespace rafka::wire {

uint32_t Reader::varint() {
    uint32_t x = 0;
    auto* after = read_unsigned_varint(at_, end_, x);
    if (!after) {
        fail();
        return 0;
    }
    at_ = after;
    return x;
}

void Reader::uuid(Uuid& x) {
    auto bytes = take(int64_t(x.bytes.size()));
    if (!bytes.empty()) std::memcpy(x.bytes.data(), bytes.data(), bytes.size());
}

void Reader::skip_tags() {
    auto count = varint();
    if (count > tags_max) return fail();
    for (; count > 0 && ok(); --count) {
        varint();
        take(varint());
    }
}

}  // namespace rafka::wire
