#include "protocol/records/metadata.hpp"

#include "base/varint.hpp"

namespace rafka::protocol {

namespace {

constexpr uint32_t frame_version = 1;

// Finds the alternative by its type, so that the list stands in one place.
template <size_t I = 0>
Result<VersionedRecord> read_as(uint32_t type, uint32_t version, Bytes fields, wire::Arena& arena) {
    if constexpr (I == std::variant_size_v<MetadataRecord>) {
        return fail(Errc::unsupported);
    } else {
        using R = std::variant_alternative_t<I, MetadataRecord>;
        if (type != uint32_t(R::schema.key)) return read_as<I + 1>(type, version, fields, arena);
        if (version > uint32_t(R::schema.newest)) return fail(Errc::unsupported);
        TRY(auto record, wire::read<R>(fields, arena, int16_t(version)));
        return VersionedRecord{record, int16_t(version)};
    }
}

void append_varint(wire::Payload& out, uint32_t x) {
    write_unsigned_varint(out.extend(unsigned_varint_size(x)), x);
}

}  // namespace

Result<VersionedRecord> read_metadata_record(Bytes value, wire::Arena& arena) {
    uint32_t header[3];
    auto* at = value.data();
    auto* end = at + value.size();
    for (auto& number : header) {
        at = read_unsigned_varint(at, end, number);
        if (!at) return fail(Errc::malformed);
    }
    auto [frame, type, version] = header;
    if (frame != frame_version) return fail(Errc::unsupported);
    return read_as(type, version, Bytes(at, end), arena);
}

void write_metadata_record(wire::Payload& out, const MetadataRecord& record, int16_t version) {
    std::visit([&](auto& alternative) {
        append_varint(out, frame_version);
        append_varint(out, uint32_t(alternative.schema.key));
        append_varint(out, uint32_t(version));
        wire::write(out, alternative, version);
    }, record);
}

std::string describe(const MetadataRecord& record, int16_t version) {
    return std::visit([&](auto& alternative) {
        return "record " + std::to_string(alternative.schema.key) + " v" + std::to_string(version) + " " +
               wire::describe(alternative, version);
    }, record);
}

}  // namespace rafka::protocol
