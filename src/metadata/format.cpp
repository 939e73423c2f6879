#include "metadata/format.hpp"

#include "base/log.hpp"
#include "base/properties.hpp"
#include "io/file.hpp"
#include "metadata/controller.hpp"
#include "metadata/snapshot.hpp"
#include "metadata/together.hpp"
#include "protocol/records/cluster.hpp"

#include <charconv>

namespace rafka::metadata {

namespace {

constexpr std::string_view properties_file = "meta.properties";
constexpr std::string_view bootstrap_name = "bootstrap.checkpoint";

Errc tell(std::string* problem, Errc errc, std::string sentence) {
    if (problem) *problem = std::move(sentence);
    return errc;
}

Result<DirectoryIdentity> identity_of(std::string_view text, const std::string& path, std::string* problem) {
    auto malformed = [&](std::string_view what) { return fail(tell(problem, Errc::malformed, fmt::format("{}: {}", path, what))); };
    auto properties = properties_of(text);
    if (!properties) return malformed("it does not parse");
    auto version = find(*properties, "version");
    if (!version) return malformed("it has no version");
    if (*version == "0") return malformed("version 0 is of a node that used ZooKeeper: let Kafka 3.9 migrate it first");
    if (*version != "1") return malformed(fmt::format("version {} is not known", *version));
    auto cluster = find(*properties, "cluster.id");
    auto node = find(*properties, "node.id");
    auto directory = find(*properties, "directory.id");
    if (!cluster || cluster->empty()) return malformed("it has no cluster.id");
    DirectoryIdentity identity;
    identity.cluster_id = *cluster;
    auto [end, error] = node ? std::from_chars(node->data(), node->data() + node->size(), identity.node_id) : std::from_chars_result{};
    if (!node || error != std::errc() || end != node->data() + node->size() || identity.node_id < 0) return malformed("its node.id is not a number");
    // Before Kafka 3.7 directories had no id; Kafka gives them one when it starts.
    auto id = directory ? uuid_of(*directory) : std::nullopt;
    if (!id || id->is_zero()) return malformed(directory ? "its directory.id is not an id" : "it has no directory.id: start Kafka 3.7 or later on it once");
    identity.directory_id = *id;
    return identity;
}

std::string text_of(const DirectoryIdentity& identity) {
    return to_text({{"cluster.id", identity.cluster_id},
                    {"directory.id", to_text(identity.directory_id)},
                    {"node.id", std::to_string(identity.node_id)},
                    {"version", "1"}});
}

// A new file in a new directory, its bytes and its name durable.
Task<Result<>> write_new(Io& io, std::string directory, std::string name, Bytes content) {
    CO_TRY(auto file, co_await io::File::open(io, directory + "/" + name, flag::write | flag::create | flag::truncate));
    CO_CHECKED(co_await file.write_all(content, 0));
    CO_CHECKED(co_await file.sync());
    CO_CHECKED(co_await file.close());
    co_return co_await io::sync_directory(io, directory);
}

Quorum quorum_of(const FormatOptions& options, const DirectoryIdentity& identity) {
    Voter voter;
    voter.id = identity.node_id;
    voter.directory_id = identity.directory_id;
    for (auto& endpoint : options.controller_endpoints) voter.endpoints.push_back({endpoint.name, endpoint.host, endpoint.port});
    return {1, {std::move(voter)}};
}

// What an empty cluster begins with. Only features that rafka has are finalized.
RecordList bootstrap_records() {
    RecordList records;
    protocol::FeatureLevelRecord record;
    record.name = "metadata.version";
    record.feature_level = metadata_version_newest;
    records.add(record);
    return records;
}

Task<Result<>> write_all(Io& io, FormatOptions options, DirectoryIdentity identity) {
    auto now = io.wall();
    auto metadata = options.directory + "/" + std::string(cluster_metadata_topic) + "-0";
    auto bootstrap = bootstrap_file(bootstrap_records(), now);
    auto quorum = quorum_of(options, identity);
    auto snapshot = snapshot_header_batch(quorum, 0, now, now);
    auto footer = snapshot_footer_batch(BatchView::trusted(snapshot).next_offset(), 0, now);
    snapshot.insert(snapshot.end(), footer.begin(), footer.end());

    auto topic_id = fmt::format("version: 0\ntopic_id: {}", to_text(cluster_metadata_key().topic_id));
    auto properties = text_of(identity);
    auto part = std::string(properties_file) + ".tmp";

    CO_CHECKED(co_await io::make_directories(io, metadata));
    // In any order, as one wait for the disk. The topic's id is not from the formatter: Kafka adds it at the first start.
    std::vector<Task<Result<>>> writes;
    writes.push_back(write_new(io, options.directory, std::string(bootstrap_name), bootstrap));
    writes.push_back(write_new(io, metadata, snapshot_name(SnapshotId{}) + std::string(snapshot_suffix), snapshot));
    writes.push_back(write_new(io, metadata, "partition.metadata", as_bytes(topic_id)));
    writes.push_back(write_new(io, options.directory, part, as_bytes(properties)));
    CO_CHECKED(co_await together(std::move(writes)));
    // Last: without this file the directory counts as not formatted.
    co_return co_await io::rename_durably(io, options.directory + "/" + part, options.directory + "/" + std::string(properties_file));
}

// A metadata log without meta.properties lost something, and is not to be formatted over.
Task<Result<bool>> holds_metadata_log(Io& io, std::string directory) {
    auto entries = co_await io::list(io, directory + "/" + std::string(cluster_metadata_topic) + "-0");
    if (!entries) {
        if (entries.error() == Errc::not_found) co_return false;
        co_return fail(entries.error());
    }
    for (auto& entry : *entries) {
        if (entry.name.ends_with(".log")) co_return true;
    }
    co_return false;
}

}  // namespace

Uuid random_uuid(Io& io) {
    Uuid id;
    do {
        for (size_t half = 0; half < id.bytes.size(); half += 8) {
            auto random = io.random();
            for (size_t i = 0; i < 8; ++i) id.bytes[half + i] = std::byte(random >> 8 * i);
        }
        id.bytes[6] = (id.bytes[6] & std::byte{0x0f}) | std::byte{0x40};
        id.bytes[8] = (id.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    } while (to_text(id).front() == '-');
    return id;
}

Task<Result<DirectoryIdentity>> read_identity(Io& io, std::string directory, std::string* problem) {
    auto path = directory + "/" + std::string(properties_file);
    auto content = co_await io::read_file(io, path);
    if (!content) {
        auto sentence = content.error() == Errc::not_found ? fmt::format("{}: the directory is not formatted", directory)
                                                           : fmt::format("{}: {}", path, to_text(content.error()));
        co_return fail(tell(problem, content.error(), std::move(sentence)));
    }
    co_return identity_of(as_text(*content), path, problem);
}

Task<Result<DirectoryIdentity>> format_if_needed(Io& io, FormatOptions options, std::string* problem) {
    auto found = co_await read_identity(io, options.directory, problem);
    if (found) {
        if (found->node_id != options.node_id) {
            co_return fail(tell(problem, Errc::invalid_argument, fmt::format(
                "{}/{} is of node.id {}, and the configured one is {}: set node.id (--node-id) to {}, or name another directory",
                options.directory, properties_file, found->node_id, options.node_id, found->node_id)));
        }
        if (options.cluster_id && *options.cluster_id != found->cluster_id) {
            co_return fail(tell(problem, Errc::invalid_argument, fmt::format(
                "{}/{} is of cluster {}, and the configured one is {}: leave the cluster's id out, or name another directory",
                options.directory, properties_file, found->cluster_id, *options.cluster_id)));
        }
        co_return found;
    }
    if (found.error() != Errc::not_found) co_return found;
    CO_TRY(auto holds, co_await holds_metadata_log(io, options.directory));
    if (holds) {
        co_return fail(tell(problem, Errc::malformed, fmt::format("{} holds a metadata log and no {}", options.directory, properties_file)));
    }
    DirectoryIdentity identity;
    identity.node_id = options.node_id;
    identity.cluster_id = options.cluster_id ? *options.cluster_id : to_text(random_uuid(io));
    identity.directory_id = random_uuid(io);
    auto written = co_await write_all(io, options, identity);
    if (!written) {
        co_return fail(tell(problem, written.error(), fmt::format("{} cannot be formatted: {}", options.directory, to_text(written.error()))));
    }
    if (problem) problem->clear();
    log::info("log directory formatted: directory={} cluster_id={} node_id={}", options.directory, identity.cluster_id, identity.node_id);
    co_return identity;
}

}  // namespace rafka::metadata
