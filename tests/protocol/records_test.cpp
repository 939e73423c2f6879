#include "protocol/records/control.hpp"
#include "protocol/records/groups.hpp"
#include "protocol/records/metadata.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace rafka;
using namespace rafka::protocol;

namespace {

std::string hex(Bytes bytes) {
    std::string text;
    for (auto byte : bytes) {
        constexpr auto digits = "0123456789abcdef";
        text += digits[uint8_t(byte) >> 4];
        text += digits[uint8_t(byte) & 15];
    }
    return text;
}

std::vector<std::byte> bytes_of(std::initializer_list<int> list) {
    std::vector<std::byte> bytes;
    for (int byte : list) bytes.push_back(std::byte(byte));
    return bytes;
}

}  // namespace

TEST_CASE("a metadata record stands behind frame version, type and version") {
    wire::Payload out;
    write_metadata_record(out, FeatureLevelRecord{.name = "metadata.version", .feature_level = 30}, 0);
    CHECK(hex(out.bytes()) == "010c00" "116d657461646174612e76657273696f6e" "001e" "00");

    wire::Arena arena;
    auto read = read_metadata_record(out.bytes(), arena);
    REQUIRE(read.has_value());
    CHECK(read->version == 0);
    CHECK(std::get<FeatureLevelRecord>(read->record).feature_level == 30);
    CHECK(describe(read->record, 0) == R"(record 12 v0 {"metadata.version", 30})");
}

TEST_CASE("a change of a partition says only what changed") {
    int32_t isr[] = {1};
    PartitionChangeRecord change;
    change.partition_id = 3;
    change.isr = isr;
    wire::Payload out;
    write_metadata_record(out, change, 0);
    CHECK(hex(out.bytes()) == "010500" "00000003" "00000000000000000000000000000000" "01" "00" "05" "0200000001");
    wire::Arena arena;
    auto read = read_metadata_record(out.bytes(), arena);
    REQUIRE(read.has_value());
    auto& back = std::get<PartitionChangeRecord>(read->record);
    REQUIRE(back.isr.has_value());
    CHECK(back.isr->size() == 1);
    CHECK(back.leader == PartitionChangeRecord::same_leader);
    CHECK_FALSE(back.replicas.has_value());
}

TEST_CASE("a frame, a type or a version that nobody here knows is unsupported, not skipped") {
    wire::Arena arena;
    for (auto& value : {bytes_of({0, 20, 0, 0}), bytes_of({2, 20, 0, 0}), bytes_of({1, 6, 0, 0}), bytes_of({1, 29, 0, 0}), bytes_of({1, 20, 1, 0}),
                        bytes_of({1, 0x94, 0x80, 0x04, 0, 0})}) {
        CHECK(read_metadata_record(value, arena).error() == Errc::unsupported);
    }
    for (auto& value : {bytes_of({}), bytes_of({1}), bytes_of({1, 20}), bytes_of({1, 20, 0}), bytes_of({1, 20, 0, 0, 0})}) {
        CHECK(read_metadata_record(value, arena).error() == Errc::malformed);
    }
    CHECK(read_metadata_record(bytes_of({1, 20, 0, 0}), arena).has_value());
}

TEST_CASE("a control record names its type in the key and its version in the value") {
    CHECK(hex(control_key(ControlType::kraft_voters)) == "00000006");
    CHECK(read_control_key(control_key(ControlType::leader_change)) == ControlType::leader_change);
    CHECK(read_control_key(bytes_of({0, 0, 0})) == fail(Errc::malformed));

    LeaderChangeRecord::Voter voters[] = {{.voter_id = 1, .voter_directory_id = {}}};
    LeaderChangeRecord change{.version = 1, .leader_id = 1, .voters = voters, .granting_voters = voters};
    wire::Payload out;
    write_control_value(out, change);
    CHECK(hex(out.bytes()) == "0001" "00000001"
                              "02" "00000001" "00000000000000000000000000000000" "00"
                              "02" "00000001" "00000000000000000000000000000000" "00" "00");
    wire::Arena arena;
    auto back = read_control_value<LeaderChangeRecord>(out.bytes(), arena);
    REQUIRE(back.has_value());
    CHECK(back->voters.size() == 1);
    CHECK(read_control_value<LeaderChangeRecord>(bytes_of({0, 2, 0}), arena).error() == Errc::unsupported);
    CHECK(read_control_value<LeaderChangeRecord>(bytes_of({0}), arena).error() == Errc::malformed);
}

TEST_CASE("a record of a group stands behind its type and its version") {
    OffsetCommitKey key{.group = "g", .topic = "t", .partition = 3};
    wire::Payload out;
    write_group_key(out, key);
    CHECK(hex(out.bytes()) == "0001" "000167" "000174" "00000003");
    wire::Arena arena;
    auto bytes = out.copy();
    auto read = read_group_key(bytes, arena);
    REQUIRE(read.has_value());
    CHECK(std::get<OffsetCommitKey>(*read).partition == 3);
    bytes[1] = std::byte{0};  // As Kafka wrote it long ago.
    CHECK(std::get<OffsetCommitKey>(read_group_key(bytes, arena).value()).group == "g");
    bytes[1] = std::byte{11};  // A share group.
    CHECK(read_group_key(bytes, arena) == fail(Errc::unsupported));
    CHECK(read_group_key(Bytes(bytes).first(1), arena) == fail(Errc::malformed));

    CHECK(read_group_value<OffsetCommitValue>(bytes_of({0, 5, 0}), arena) == fail(Errc::unsupported));
    CHECK(read_group_value<OffsetCommitValue>(bytes_of({0}), arena) == fail(Errc::malformed));
}
