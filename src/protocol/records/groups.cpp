#include "protocol/records/groups.hpp"

#include "wire/codec.hpp"

namespace rafka::protocol {

namespace {

// The alternative of that type, by its schema.
template <class Key, class... Others>
Result<GroupKey> read_as(int16_t type, Bytes fields, wire::Arena& arena) {
    if (type == Key::schema.key) {
        TRY(auto key, wire::read<Key>(fields, arena, 0));
        return GroupKey(key);
    }
    if constexpr (sizeof...(Others) > 0) return read_as<Others...>(type, fields, arena);
    else return fail(Errc::unsupported);
}

template <class... Keys>
Result<GroupKey> read_any(std::variant<Keys...>*, int16_t type, Bytes fields, wire::Arena& arena) {
    return read_as<Keys...>(type, fields, arena);
}

}  // namespace

Result<GroupKey> read_group_key(Bytes key, wire::Arena& arena) {
    if (key.size() < 2) return fail(Errc::malformed);
    auto type = load_be<int16_t>(key.data());
    if (type == 0) type = OffsetCommitKey::schema.key;
    return read_any(static_cast<GroupKey*>(nullptr), type, key.subspan(2), arena);
}

}  // namespace rafka::protocol

namespace rafka::wire {

using namespace protocol;

template struct Codec<OffsetCommitKey>;
template struct Codec<OffsetCommitValue>;
template struct Codec<GroupMetadataKey>;
template struct Codec<GroupMetadataValue>;
template struct Codec<ConsumerGroupMetadataKey>;
template struct Codec<ConsumerGroupMetadataValue>;
template struct Codec<ConsumerGroupPartitionMetadataKey>;
template struct Codec<ConsumerGroupPartitionMetadataValue>;
template struct Codec<ConsumerGroupMemberMetadataKey>;
template struct Codec<ConsumerGroupMemberMetadataValue>;
template struct Codec<ConsumerGroupTargetAssignmentMetadataKey>;
template struct Codec<ConsumerGroupTargetAssignmentMetadataValue>;
template struct Codec<ConsumerGroupTargetAssignmentMemberKey>;
template struct Codec<ConsumerGroupTargetAssignmentMemberValue>;
template struct Codec<ConsumerGroupCurrentMemberAssignmentKey>;
template struct Codec<ConsumerGroupCurrentMemberAssignmentValue>;
template struct Codec<ConsumerGroupRegularExpressionKey>;
template struct Codec<ConsumerGroupRegularExpressionValue>;

}  // namespace rafka::wire
