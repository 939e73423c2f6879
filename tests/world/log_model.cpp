#include "world/log_model.hpp"

#include "world/repeat.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace rafka::world {
namespace {

std::optional<BatchId> id_of(std::string_view value) {
    BatchId id = 0;
    if (!value.starts_with("batch ")) return {};
    auto [end, error] = std::from_chars(value.data() + 6, value.data() + value.size(), id);
    if (error != std::errc()) return {};
    return id;
}

}  // namespace

const SentBatch& Archive::make(const BatchBuilder::Options& options, int32_t record_count, size_t size, Timestamp base,
                               bool timestamps_go_back) {
    auto& batch = batches_.emplace_back();
    batch.id = batches_.size() - 1;
    batch.record_count = record_count;
    BatchBuilder builder(options);
    for (int32_t i = 0; i < record_count; ++i) {
        // No zeros: a model of a disk takes zeros for nothing written.
        auto value = fmt::format("batch {} record {} ", batch.id, i);
        value.resize(std::max(value.size(), size / size_t(record_count)), char('a' + batch.id % 26));
        int64_t step = timestamps_go_back ? (i * 7919 + int64_t(batch.id) * 31) % 17 - 8 : i;
        builder.add({base.ms + step}, {}, as_bytes(value));
    }
    batch.bytes = builder.build();
    return batch;
}

std::vector<FoundBatch> take_apart(const Archive& archive, Bytes bytes) {
    std::vector<FoundBatch> found;
    while (!bytes.empty()) {
        auto framed = BatchView::frame(bytes);
        require(framed.has_value(), "L6: bytes that are no batch: {} left over", bytes.size());
        auto view = *framed;
        require(view.crc_matches(), "L6: the batch at offset {} has a wrong checksum", view.base_offset().value);
        auto reader = RecordReader::open(view, 64 << 20);
        require(reader.has_value(), "L6: the batch at offset {} does not open", view.base_offset().value);
        auto& batch = found.emplace_back();
        batch.base_offset = view.base_offset();
        batch.record_count = view.record_count();
        batch.epoch = view.leader_epoch();
        RecordView record;
        bool first = true;
        while (reader->next(record)) {
            batch.records.push_back({reader->offset_of(record), reader->timestamp_of(record)});
            auto id = id_of(record.value ? as_text(*record.value) : std::string_view());
            require(id && archive.contains(*id), "L6: a record at offset {} that nobody sent", batch.records.back().offset.value);
            if (!first) require(*id == batch.id, "L6: the batch at offset {} is mixed", batch.base_offset.value);
            batch.id = *id;
            first = false;
        }
        require(reader->ok() && !first, "L6: the batch at offset {} has broken records", batch.base_offset.value);
        auto& sent = archive.at(batch.id);
        // All from the checksum on: what comes before it is ours to write.
        auto same = view.size() == sent.bytes.size() &&
                    std::equal(sent.bytes.begin() + batch_at::crc, sent.bytes.end(), view.bytes().begin() + batch_at::crc);
        require(same, "L2: batch {} at offset {} is not what was sent", batch.id, batch.base_offset.value);
        bytes = bytes.subspan(view.size());
    }
    return found;
}

void LogModel::note(Offset base_offset, BatchId batch) {
    auto [there, fresh] = certain_.emplace(base_offset.value, batch);
    require(there->second == batch, "L3: offset {} held batch {} and now holds batch {}", base_offset.value, there->second,
            batch);
}

void LogModel::acknowledge(size_t attempt, const SentBatch& batch, Offset base_offset) {
    attempts_[attempt].fate = Fate::acknowledged;
    require(!place_of(batch.id) || *place_of(batch.id) == base_offset, "L5: batch {} is acknowledged at offset {} and at {}",
            batch.id, place_of(batch.id)->value, base_offset.value);
    note(base_offset, batch.id);
}

std::optional<Offset> LogModel::place_of(BatchId batch) const {
    for (auto& [offset, there] : certain_) {
        if (there == batch) return Offset{offset};
    }
    return {};
}

void LogModel::see(const FoundBatch& batch) { note(batch.base_offset, batch.id); }

void LogModel::see_watermark(Offset watermark) {
    require(watermark >= watermark_, "L4: the high watermark went back from {} to {}", watermark_.value, watermark.value);
    watermark_ = watermark;
}

void LogModel::judge(std::span<const FoundBatch> found, Offset high_watermark, bool in_order) {
    // L1, L5.
    Offset next{0};
    std::set<BatchId> seen;
    for (auto& batch : found) {
        require(batch.base_offset == next, "L1: expected offset {}, found a batch at {}", next.value, batch.base_offset.value);
        next = next + batch.record_count;
        require(seen.insert(batch.id).second, "L5: batch {} is there twice, again at offset {}", batch.id,
                batch.base_offset.value);
    }
    require(next == high_watermark, "L4: batches end at {}, the high watermark is {}", next.value, high_watermark.value);
    see_watermark(high_watermark);

    // L2, L3.
    std::map<int64_t, BatchId> there;
    for (auto& batch : found) there.emplace(batch.base_offset.value, batch.id);
    for (auto& [offset, batch] : certain_) {
        auto it = there.find(offset);
        require(it != there.end(), "L2: batch {} at offset {} was acknowledged or read, and is lost; the log ends at {}",
                batch, offset, next.value);
        require(it->second == batch, "L3: offset {} held batch {} and now holds batch {}", offset, batch, it->second);
    }

    if (in_order) judge_order(found);
    else judge_senders(found);
    certain_ = std::move(there);
    judged_ = found.size();
    attempts_.clear();
}

void LogModel::judge_order(std::span<const FoundBatch> found) const {
    // L6: those after the last restart's, in the order of their appends. What failed may be missing in between. `ends`
    // are the counts of found batches that the attempts so far can explain.
    std::set<size_t> ends{judged_};
    for (auto& attempt : attempts_) {
        std::set<size_t> after;
        for (auto end : ends) {
            if (end < found.size() && found[end].id == attempt.batch) after.insert(end + 1);
            if (end == found.size() || attempt.fate == Fate::failed) after.insert(end);
        }
        if (after.empty()) {
            auto& next = found[*ends.rbegin()];
            violation(fmt::format("L6: batch {} follows at offset {}, though batch {} was written before it and is not there",
                                  next.id, next.base_offset.value, attempt.batch));
        }
        ends = std::move(after);
    }
    if (!ends.contains(found.size())) {
        auto& stranger = found[*ends.rbegin()];
        violation(fmt::format("L6: batch {} at offset {} was not written there", stranger.id, stranger.base_offset.value));
    }
}

void LogModel::judge_senders(std::span<const FoundBatch> found) const {
    for (auto& batch : found.subspan(judged_)) {
        bool sent = std::any_of(attempts_.begin(), attempts_.end(), [&](auto& attempt) { return attempt.batch == batch.id; });
        require(sent, "L6: batch {} at offset {} was not sent there", batch.id, batch.base_offset.value);
    }
}

}  // namespace rafka::world
