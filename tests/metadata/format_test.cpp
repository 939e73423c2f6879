#include "metadata/format.hpp"

#include "base/log.hpp"
#include "base/properties.hpp"
#include "golden.hpp"
#include "metadata/controller.hpp"
#include "metadata/snapshot.hpp"
#include "protocol/records/control.hpp"
#include "sim/world.hpp"

#include <doctest/doctest.h>

using namespace rafka;
using namespace rafka::metadata;

namespace {

FormatOptions options() {
    FormatOptions options;
    options.directory = "/data";
    options.node_id = 1;
    options.cluster_id = "AAAAAAAAAAAAAAAAAAAAAQ";
    options.controller_endpoints = {{"CONTROLLER", "localhost", 19493, 0}};
    return options;
}

std::string hex(Bytes bytes) {
    std::string text;
    for (auto byte : bytes) text += fmt::format("{:02x}", uint8_t(byte));
    return text;
}

// A file of batches as text, with times, checksums and the directory's id left out.
std::string show(Bytes file, const Uuid& directory_id) {
    std::string text;
    for (auto rest = file; !rest.empty();) {
        auto batch = BatchView::frame(rest);
        REQUIRE(batch);
        CHECK(batch->crc_matches());
        text += fmt::format("batch {} size={} epoch={} attributes={:x} delta={} producer={} {} {} count={}\n", batch->base_offset().value,
                            batch->size(), batch->leader_epoch(), batch->attributes(), batch->last_offset_delta(), batch->producer_id(),
                            batch->producer_epoch(), batch->base_sequence(), batch->record_count());
        auto reader = RecordReader::open(*batch, batch->size());
        REQUIRE(reader);
        RecordView record;
        while (reader->next(record)) {
            auto value = hex(*record.value);
            if (record.key && protocol::read_control_key(*record.key) == protocol::ControlType::snapshot_header) value.replace(4, 16, "TIME");
            if (auto at = value.find(hex(directory_id.bytes)); at != value.npos) value.replace(at, 32, "DIRECTORY");
            text += fmt::format("  {} {} headers={}\n", record.key ? hex(*record.key) : "-", value, record.header_count);
        }
        CHECK(reader->ok());
        rest = rest.subspan(batch->size());
    }
    return text;
}

DirectoryIdentity identity_of_golden() {
    auto properties = properties_of(golden_text("meta.properties"));
    REQUIRE(properties);
    return {*find(*properties, "cluster.id"), std::stoi(*find(*properties, "node.id")), *uuid_of(*find(*properties, "directory.id"))};
}

std::vector<std::byte> content(sim::Machine& machine, const std::string& path) {
    auto text = machine.disk().content(path);
    auto bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("a formatted directory is the one Kafka's tool makes") {
    sim::Machine machine(1);
    sim::World world(machine, 1);
    std::string problem;
    auto identity = world.run(format_if_needed(world.loop().io(), options(), &problem));
    REQUIRE_MESSAGE(identity, problem);
    auto golden_identity = identity_of_golden();
    CHECK(identity->cluster_id == golden_identity.cluster_id);
    CHECK(identity->node_id == golden_identity.node_id);
    CHECK(identity->directory_id != golden_identity.directory_id);

    auto bootstrap = show(golden("bootstrap.checkpoint"), golden_identity.directory_id);
    CHECK(show(content(machine, "/data/bootstrap.checkpoint"), identity->directory_id) == bootstrap);
    auto voters = show(golden("voters.checkpoint"), golden_identity.directory_id);
    CHECK(show(content(machine, "/data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"), identity->directory_id) == voters);

    auto properties = properties_of(machine.disk().content("/data/meta.properties"));
    auto expected = properties_of(golden_text("meta.properties"));
    REQUIRE(properties);
    for (auto& list : {&*properties, &*expected}) {
        std::sort(list->begin(), list->end());
        for (auto& [key, value] : *list) {
            if (key == "directory.id") value = "ID";
        }
    }
    CHECK(*properties == *expected);
}

TEST_CASE("a directory that is formatted is read, and belongs to its node and cluster") {
    sim::Machine machine(2);
    sim::World world(machine, 2);
    auto& io = world.loop().io();
    std::string problem;
    CHECK(world.run(read_identity(io, "/data", &problem)).error() == Errc::not_found);
    CHECK(problem == "/data: the directory is not formatted");
    auto first = world.run(format_if_needed(io, options(), &problem));
    REQUIRE(first);
    auto again = world.run(format_if_needed(io, options(), &problem));
    REQUIRE(again);
    CHECK(*again == *first);
    auto other = options();
    other.cluster_id.reset();
    CHECK(world.run(format_if_needed(io, other, &problem)).value() == *first);
    other.node_id = 2;
    CHECK(world.run(format_if_needed(io, other, &problem)).error() == Errc::invalid_argument);
    CHECK(problem == "/data/meta.properties is of node.id 1, and the configured one is 2: set node.id (--node-id) to 1, or name another directory");
    other = options();
    other.cluster_id = "another";
    CHECK(world.run(format_if_needed(io, other, &problem)).error() == Errc::invalid_argument);
    CHECK(problem == "/data/meta.properties is of cluster AAAAAAAAAAAAAAAAAAAAAQ, and the configured one is another: leave the cluster's id out, "
                     "or name another directory");
}

TEST_CASE("a format that a crash cut short is begun again, one that ended is kept") {
    sim::Machine machine(3);
    sim::World world(machine, 3);
    std::vector<sim::Disk> photographs;
    sim::Random random(3);
    log::set_level(log::Level::warn);
    machine.at_boundary = [&] {
        for (auto choice : {sim::CrashChoice(), sim::CrashChoice(sim::Keep::none, sim::Keep::none, sim::Keep::none)}) {
            photographs.push_back(machine.photograph(choice, random));
        }
    };
    auto identity = world.run(format_if_needed(world.loop().io(), options()));
    machine.at_boundary = nullptr;
    REQUIRE(identity);
    photographs.push_back(machine.photograph(sim::CrashChoice(sim::Keep::none, sim::Keep::none, sim::Keep::none), random));

    size_t kept = 0;
    for (auto& photograph : photographs) {
        sim::Machine after(4, sim::MachineOptions(), photograph);
        sim::World next(after, 4);
        std::string problem;
        auto found = next.run(format_if_needed(next.loop().io(), options(), &problem));
        REQUIRE_MESSAGE(found, problem);
        if (found->directory_id == identity->directory_id) ++kept;
        auto voters = show(golden("voters.checkpoint"), identity_of_golden().directory_id);
        CHECK(show(content(after, "/data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"), found->directory_id) == voters);
        CHECK(after.disk().find("/data/bootstrap.checkpoint") != 0);
    }
    log::set_level(log::Level::info);
    CHECK(kept >= 1);
    CHECK(kept < photographs.size());
}

TEST_CASE("random ids are of version 4 and do not look like options") {
    sim::Machine machine(5);
    sim::World world(machine, 5);
    for (int i = 0; i < 1000; ++i) {
        auto text = to_text(random_uuid(world.loop().io()));
        CHECK(text[0] != '-');
        CHECK(uuid_of(text).has_value());
        CHECK((uint8_t(uuid_of(text)->bytes[6]) >> 4) == 4);
    }
}

TEST_CASE("a snapshot's name is its end offset and epoch") {
    CHECK(snapshot_name({{42}, 7}) == "00000000000000000042-0000000007");
    CHECK(snapshot_id_of("00000000000000000042-0000000007.checkpoint") == SnapshotId{{42}, 7});
    for (auto name : {"00000000000000000042-0000000007.checkpoint.part", "00000000000000000042-0000000007", "x0000000000000000042-0000000007.checkpoint",
                      "00000000000000000042_0000000007.checkpoint", "-0000000000000000042-0000000007.checkpoint", "quorum-state"}) {
        CHECK_FALSE(snapshot_id_of(name));
    }
}
