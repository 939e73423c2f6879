#include "metadata/log.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "io/file.hpp"
#include "metadata/controller.hpp"

#include <algorithm>
#include <limits>

namespace rafka::metadata {

namespace {

constexpr uint32_t read_bytes = 1u << 20;

LogOptions log_options() {
    LogOptions options;
    options.file_delete_delay_ms = 0;
    return options;
}

}  // namespace

Log::Log(Engine& engine)
    : engine_(engine), home_(Loop::current()), io_(home_.io()),
      directory_(engine.options().directory + "/" + std::string(cluster_metadata_topic) + "-0") {}

Result<> Log::refuse(std::string problem) {
    problem_ = fmt::format("{}: {}", directory_, problem);
    return fail(Errc::malformed);
}

Task<Result<>> Log::load(Applier& applier) {
    auto opened = co_await engine_.open_partition(cluster_metadata_key(), std::string(cluster_metadata_topic), log_options());
    if (!opened) {
        (void)refuse(fmt::format("the log cannot be opened: {}", to_text(opened.error())));
        co_return fail(opened.error());
    }
    partition_ = *opened;
    CO_CHECKED(co_await ensure_topic_id());
    CO_CHECKED(co_await read_quorum_state());
    Offset from;
    CO_CHECKED(co_await load_snapshot(applier, from));

    Replay state;
    state.quorum = quorum_;
    auto& where = engine_.loop_of(cluster_metadata_key());
    auto replayed = co_await call_on(where, replay(*partition_, from, applier, state));
    if (!replayed) {
        (void)refuse(state.problem.empty() ? std::string(to_text(replayed.error())) : state.problem);
        co_return replayed;
    }
    end_ = state.end;
    quorum_ = std::move(state.quorum);
    last_epoch_ = std::max(last_epoch_, state.epoch);
    bytes_since_snapshot_ = state.bytes;
    if (last_epoch_ == std::numeric_limits<LeaderEpoch>::max()) co_return refuse("its epoch is the last one there can be");
    co_return Result<>();
}

// The formatter leaves the directory without it.
Task<Result<>> Log::ensure_topic_id() {
    CO_TRY(auto there, co_await io::path_exists(io_, path("partition.metadata")));
    if (there) co_return Result<>();
    auto text = fmt::format("version: 0\ntopic_id: {}", to_text(cluster_metadata_key().topic_id));
    co_return co_await io::write_file_atomically(io_, path("partition.metadata"), as_bytes(text));
}

Task<Result<>> Log::read_quorum_state() {
    auto content = co_await io::read_file(io_, path(quorum_state_file));
    if (!content) {
        if (content.error() == Errc::not_found) co_return Result<>();
        co_return fail(content.error());
    }
    auto state = quorum_state_of(as_text(*content));
    if (!state) co_return refuse(fmt::format("{} does not parse", quorum_state_file));
    last_epoch_ = state->leader_epoch;
    co_return Result<>();
}

Task<Result<>> Log::load_snapshot(Applier& applier, Offset& end) {
    CO_TRY(auto entries, co_await io::list(io_, directory_));
    std::optional<SnapshotId> newest;
    for (auto& entry : entries) {
        // What a crash left of a snapshot.
        if (entry.name.ends_with(snapshot_part_suffix)) CO_CHECKED(co_await io::remove(io_, path(entry.name)));
        if (auto id = snapshot_id_of(entry.name); id && (!newest || *newest < *id)) newest = id;
    }
    end = Offset{0};
    if (!newest) co_return Result<>();
    auto name = snapshot_name(*newest) + std::string(snapshot_suffix);
    CO_TRY(auto file, co_await io::read_file(io_, path(name)));
    std::string problem;
    if (!read_snapshot(file, quorum_, applier, problem)) co_return refuse(fmt::format("{}: {}", name, problem));
    // A snapshot's own offsets count its records; its place in the log is its name.
    if (newest->end_offset.value > 0 && !applier.place(newest->end_offset - 1, newest->epoch)) {
        co_return refuse(fmt::format("{}: {}", name, applier.problem()));
    }
    end = newest->end_offset;
    last_epoch_ = std::max(last_epoch_, newest->epoch);
    co_return Result<>();
}

Task<Result<>> Log::replay(Partition& partition, Offset from, Applier& applier, Replay& state) {
    state.end = partition.log_end_offset();
    if (partition.log_start_offset() > from) {
        state.problem = fmt::format("its records begin at {}, and the newest snapshot ends at {}", partition.log_start_offset().value, from.value);
        co_return fail(Errc::malformed);
    }
    if (state.end < from) {
        state.problem = fmt::format("it ends at {}, before the newest snapshot, which ends at {}", state.end.value, from.value);
        co_return fail(Errc::malformed);
    }
    std::vector<std::byte> bytes;
    while (from < state.end) {
        CO_TRY(auto records, co_await partition.read(from, read_bytes, true, Isolation::read_uncommitted));
        bytes.clear();
        for (auto& piece : records.pieces) bytes.insert(bytes.end(), piece.bytes.begin(), piece.bytes.end());
        auto before = from;
        CO_CHECKED(replay_batches(bytes, from, applier, state));
        if (from == before) {
            state.problem = fmt::format("nothing can be read at offset {}", from.value);
            co_return fail(Errc::malformed);
        }
    }
    co_return Result<>();
}

Result<> Log::replay_batches(Bytes bytes, Offset& from, Applier& applier, Replay& state) {
    while (!bytes.empty()) {
        auto batch = BatchView::frame(bytes);
        if (!batch) return {};  // The last one may be cut; it is read again from its start.
        bytes = bytes.subspan(batch->size());
        if (batch->last_offset() < from) continue;
        if (batch->base_offset() != from || !batch->crc_matches()) {
            state.problem = fmt::format("the batch at offset {} is broken", from.value);
            return fail(Errc::corrupt_batch);
        }
        if (batch->is_control()) {
            if (!state.quorum.apply(*batch)) {
                state.problem = fmt::format("the control batch at offset {} does not parse", from.value);
                return fail(Errc::malformed);
            }
        } else if (!applier.apply(*batch)) {
            state.problem = applier.problem();
            return fail(Errc::malformed);
        }
        from = batch->next_offset();
        state.epoch = std::max(state.epoch, batch->leader_epoch());
        state.bytes += batch->size();
    }
    return {};
}

std::vector<std::byte> Log::begin_epoch(int32_t node_id) {
    epoch_ = last_epoch_ + 1;
    // A log that begins repeats what the formatter's snapshot says of the voters, as Kafka's does.
    return leader_change_batch(quorum_, node_id, epoch_, end_ == Offset{0}, io_.wall());
}

Task<Result<>> Log::write_quorum_state(std::string cluster_id, int32_t node_id) {
    QuorumState state;
    state.leader_id = node_id;
    state.leader_epoch = epoch_;
    if (quorum_.kraft_version == 0) {
        state.data_version = 0;
        state.cluster_id = std::move(cluster_id);
        state.voters = {node_id};
    }
    auto text = to_text(state);
    co_return co_await io::write_file_atomically(io_, path(quorum_state_file), as_bytes(text));
}

void Log::place(std::vector<std::byte>& batch) {
    set_base_offset(batch, end_);
    end_ = BatchView::trusted(batch).next_offset();
    bytes_since_snapshot_ += batch.size();
}

void Log::take_back(const std::vector<std::byte>& batch) {
    auto view = BatchView::trusted(batch);
    ASSERT(end_ == view.next_offset());
    end_ = view.base_offset();
    bytes_since_snapshot_ -= batch.size();
}

Task<Result<>> Log::write(const std::vector<std::byte>& batch) {
    auto& where = engine_.loop_of(cluster_metadata_key());
    CO_TRY(auto appended, co_await call_on(where, partition_->append(batch, Origin::controller)));
    ASSERT(appended.base_offset == BatchView::trusted(batch).base_offset());  // Nobody else writes here.
    co_return Result<>();
}

Task<Result<>> Log::write_snapshot(ImagePtr image) {
    bytes_since_snapshot_ = 0;
    SnapshotId id{image->offset + 1, image->epoch};
    auto file = snapshot_file(*image, quorum_, id.epoch, io_.wall());
    auto part = path(snapshot_name(id) + std::string(snapshot_part_suffix));
    CO_TRY(auto out, co_await io::File::open(io_, part, flag::write | flag::create | flag::truncate));
    CO_CHECKED(co_await out.write_all(file, 0));
    CO_CHECKED(co_await out.sync());
    CO_CHECKED(co_await out.close());
    CO_CHECKED(co_await io::rename_durably(io_, part, path(snapshot_name(id) + std::string(snapshot_suffix))));
    log::info("metadata snapshot written: end_offset={} epoch={} bytes={}", id.end_offset.value, id.epoch, file.size());
    CO_TRY(auto entries, co_await io::list(io_, directory_));
    for (auto& entry : entries) {
        auto older = snapshot_id_of(entry.name);
        if (older && *older < id) CO_CHECKED(co_await io::remove(io_, path(entry.name)));
    }
    co_return Result<>();
}

}  // namespace rafka::metadata
