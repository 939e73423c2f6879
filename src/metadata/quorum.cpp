#include "metadata/quorum.hpp"

#include "protocol/records/control.hpp"

namespace rafka::metadata {

using namespace protocol;

namespace {

template <class R>
void add(BatchBuilder& batch, const R& record, Timestamp now) {
    wire::Payload value;
    write_control_value(value, record);
    auto key = control_key(ControlType(R::schema.key));
    batch.add(now, Bytes(key), value.bytes());
}

BatchBuilder control_batch(Offset base, LeaderEpoch epoch) {
    BatchBuilder::Options options;
    options.base_offset = base;
    options.leader_epoch = epoch;
    options.control = true;
    return BatchBuilder(options);
}

void add_quorum(BatchBuilder& batch, const Quorum& quorum, Timestamp now) {
    if (quorum.kraft_version == 0) return;
    KRaftVersionRecord version;
    version.kraft_version = quorum.kraft_version;
    add(batch, version, now);

    std::vector<std::vector<VotersRecord::Endpoint>> endpoints;
    std::vector<VotersRecord::Voter> voters;
    endpoints.reserve(quorum.voters.size());
    for (auto& voter : quorum.voters) {
        auto& list = endpoints.emplace_back();
        for (auto& endpoint : voter.endpoints) list.push_back({endpoint.name, endpoint.host, endpoint.port});
        voters.push_back({voter.id, voter.directory_id, list, {voter.kraft_version_min, voter.kraft_version_max}});
    }
    VotersRecord record;
    record.voters = voters;
    add(batch, record, now);
}

std::vector<Voter> voters_of(const VotersRecord& record) {
    std::vector<Voter> voters;
    for (auto& from : record.voters) {
        Voter voter{from.voter_id, from.voter_directory_id, {}, from.kraft_version_feature.min_supported_version,
                    from.kraft_version_feature.max_supported_version};
        for (auto& endpoint : from.endpoints) {
            voter.endpoints.push_back({std::string(endpoint.name), std::string(endpoint.host), endpoint.port});
        }
        voters.push_back(std::move(voter));
    }
    return voters;
}

}  // namespace

Result<> Quorum::apply(BatchView batch) {
    TRY(auto reader, RecordReader::open(batch, batch.size()));
    RecordView view;
    wire::Arena arena;
    while (reader.next(view)) {
        if (!view.key || !view.value) return fail(Errc::malformed);
        TRY(auto type, read_control_key(*view.key));
        arena.reset();
        if (type == ControlType::kraft_version) {
            TRY(auto record, read_control_value<KRaftVersionRecord>(*view.value, arena));
            kraft_version = record.kraft_version;
        } else if (type == ControlType::kraft_voters) {
            TRY(auto record, read_control_value<VotersRecord>(*view.value, arena));
            voters = voters_of(record);
        }
    }
    return reader.ok() ? Result<>() : fail(Errc::malformed);
}

std::vector<std::byte> leader_change_batch(const Quorum& quorum, int32_t leader_id, LeaderEpoch epoch, bool with_voters, Timestamp now) {
    auto batch = control_batch(Offset{0}, epoch);
    LeaderChangeRecord::Voter voter;
    voter.voter_id = leader_id;
    LeaderChangeRecord record;
    record.leader_id = leader_id;
    record.voters = {&voter, 1};
    record.granting_voters = {&voter, 1};
    add(batch, record, now);
    if (with_voters) add_quorum(batch, quorum, now);
    return batch.build();
}

std::vector<std::byte> snapshot_header_batch(const Quorum& quorum, LeaderEpoch epoch, Timestamp last_contained, Timestamp now) {
    auto batch = control_batch(Offset{0}, epoch);
    SnapshotHeaderRecord record;
    record.last_contained_log_timestamp = last_contained;
    add(batch, record, now);
    add_quorum(batch, quorum, now);
    return batch.build();
}

std::vector<std::byte> snapshot_footer_batch(Offset base, LeaderEpoch epoch, Timestamp now) {
    auto batch = control_batch(base, epoch);
    add(batch, SnapshotFooterRecord(), now);
    return batch.build();
}

}  // namespace rafka::metadata
