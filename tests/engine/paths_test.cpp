#include "engine/paths.hpp"

#include <doctest/doctest.h>

using namespace rafka;
using namespace rafka::engine;

namespace {

std::string show(std::string_view name) {
    auto directory = partition_directory_of(name);
    if (!directory) return "refused";
    return directory->topic + "|" + std::to_string(directory->partition) + "|" + std::to_string(int(directory->state));
}

}  // namespace

TEST_CASE("files are named by their offset") {
    CHECK(file_name(Offset{0}, log_suffix) == "00000000000000000000.log");
    CHECK(file_name(Offset{INT64_MAX}, snapshot_suffix) == "09223372036854775807.snapshot");
    auto file = offset_file_of("00000000000000000042.timeindex.deleted");
    CHECK(file->offset == Offset{42});
    CHECK(file->suffix == ".timeindex.deleted");
    CHECK(offset_file_of("42.log")->offset == Offset{42});
    for (auto name : {"leader-epoch-checkpoint", ".log", "-1.log", "4x.log", "42", "99999999999999999999.log", ""}) {
        CHECK_FALSE(offset_file_of(name));
    }
}

TEST_CASE("partition directories are told from others as Kafka tells them") {
    CHECK(show("a-0") == "a|0|0");
    CHECK(show("a-b.c-12") == "a-b.c|12|0");
    CHECK(show("__cluster_metadata-0") == "__cluster_metadata|0|0");
    CHECK(show("a-b-3.0123456789abcdef0123456789abcdef-delete") == "a-b|3|1");
    CHECK(show("a-3.0123-future") == "a|3|2");
    CHECK(show("a.b-3.0123-stray") == "a.b|3|3");
    for (auto name : {"a", "-0", "a-", "a-x", "a--1x", "a-1-delete", "a-1.-delete", "remote-log-index-cache", "a-99999999999"}) {
        CHECK(show(name) == "refused");
    }
}

TEST_CASE("a directory's new name is at most 255 bytes long and keeps its partition") {
    Uuid unique;
    unique.bytes.fill(std::byte{0xa5});
    auto id = std::string("a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
    CHECK(partition_directory("a", 7) == "a-7");
    CHECK(partition_directory("a", 7, DirectoryState::deleted, unique) == "a-7." + id + "-delete");
    auto longest = partition_directory(std::string(249, 't'), 12345, DirectoryState::stray, unique);
    CHECK(longest.size() == 255);
    CHECK(partition_directory_of(longest)->partition == 12345);
    CHECK(longest.ends_with("-12345." + id + "-stray"));
}
