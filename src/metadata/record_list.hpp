#pragma once

// Metadata records on their way to the log, each in its frame as a batch carries it: frame version, type and record
// version as varints, then the fields. What is added is encoded at once, so it may consist of views.

#include "base/varint.hpp"
#include "wire/message.hpp"

#include <cstdint>
#include <vector>

namespace rafka::metadata {

inline constexpr uint32_t record_frame_version = 1;

class RecordList {
public:
    template <class R>
    void add(const R& record, int16_t version = 0) {
        begin(R::schema.key, version);
        wire::write(bytes_, record, version);
        ends_.push_back(bytes_.own_size());
    }

    size_t size() const { return ends_.size(); }
    bool empty() const { return ends_.empty(); }
    size_t bytes() const { return bytes_.own_size(); }
    Bytes operator[](size_t i) const {
        auto from = i == 0 ? 0 : ends_[i - 1];
        return bytes_.bytes().subspan(from, ends_[i] - from);
    }
    // Copies what another list holds, or a part of it.
    void add(Bytes framed) {
        bytes_.append(framed);
        ends_.push_back(bytes_.own_size());
    }
    void add_all(const RecordList& other) {
        for (size_t i = 0; i < other.size(); ++i) add(other[i]);
    }
    void clear() {
        bytes_.clear();
        ends_.clear();
    }

private:
    void begin(int16_t type, int16_t version) {
        std::byte head[3 * varint_size_max];
        auto end = write_unsigned_varint(head, record_frame_version);
        end = write_unsigned_varint(end, uint32_t(type));
        end = write_unsigned_varint(end, uint32_t(version));
        bytes_.append({head, size_t(end - head)});
    }

    wire::Payload bytes_;
    std::vector<size_t> ends_;
};

}  // namespace rafka::metadata
