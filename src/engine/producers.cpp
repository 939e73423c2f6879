#include "engine/producers.hpp"

#include "base/endian.hpp"
#include "base/hash.hpp"

#include <algorithm>
#include <limits>

namespace rafka::engine {
namespace {

constexpr int32_t sequence_max = std::numeric_limits<int32_t>::max();

constexpr int16_t snapshot_version = 1;
constexpr size_t crc_at = 2, crc_covers_from = 6, count_at = 6, entries_at = 10, entry_size = 46;
namespace entry_at {
constexpr size_t id = 0, epoch = 8, last_sequence = 10, last_offset = 14, offset_delta = 22, timestamp = 26,
                 coordinator_epoch = 34, transaction_first_offset = 38;
}

// A control record's key: int16 version, int16 type. Of these two the value is int16 version, int32 coordinator epoch.
constexpr size_t control_key_size = 4, control_type_at = 2, marker_value_size = 6, coordinator_epoch_at = 2;
constexpr int16_t abort_type = 0, commit_type = 1;

bool follows(int32_t last, int32_t next) {
    return int64_t(next) == int64_t(last) + 1 || (next == 0 && last == sequence_max);
}

bool is_expired(const Producer& producer, Timestamp now, int64_t expiration_ms) {
    if (producer.transaction_first_offset != no_offset) return false;
    return __int128(now.ms) - producer.last_timestamp.ms >= expiration_ms;
}

void take_epoch(Producer& producer, int16_t epoch) {
    if (producer.epoch == epoch) return;
    producer.epoch = epoch;
    producer.batch_count = 0;
}

void add(Producer& producer, const ProducerBatch& batch) {
    if (producer.batch_count == Producer::batches_max) {
        std::shift_left(producer.batches.begin(), producer.batches.end(), 1);
        --producer.batch_count;
    }
    producer.batches[producer.batch_count++] = batch;
}

}  // namespace

int32_t ProducerBatch::first_sequence() const {
    if (last_sequence >= offset_delta) return last_sequence - offset_delta;
    return int32_t(int64_t(last_sequence) - offset_delta + sequence_max + 1);
}

Result<std::optional<TransactionMarker>> marker_of(BatchView batch) {
    constexpr size_t plain_max = 64u << 10;  // A marker is a few bytes, and not compressed by anybody we know.
    TRY(auto reader, RecordReader::open(batch, plain_max));
    RecordView record;
    if (!reader.next(record)) {
        if (!reader.ok()) return fail(Errc::invalid_record);
        return std::nullopt;  // The cleaner has emptied it: nothing of the transaction is left.
    }
    if (!record.key || record.key->size() < control_key_size) return fail(Errc::invalid_record);
    auto type = load_be<int16_t>(record.key->data() + control_type_at);
    if (type != abort_type && type != commit_type) return std::nullopt;
    if (!record.value || record.value->size() < marker_value_size) return fail(Errc::invalid_record);
    return TransactionMarker{type == commit_type, load_be<int32_t>(record.value->data() + coordinator_epoch_at)};
}

const Producer* Producers::find(int64_t producer_id) const {
    auto found = producers_.find(producer_id);
    return found == producers_.end() ? nullptr : &found->second;
}

Result<std::optional<ProducerBatch>> Producers::check(BatchView batch, Origin origin) const {
    if (!batch.has_producer() || origin == Origin::controller) return std::nullopt;
    auto* producer = find(batch.producer_id());
    if (!producer) return std::nullopt;  // Whatever its sequence is: what came before may be deleted or expired.

    auto epoch = batch.producer_epoch();
    if (batch.is_control()) {
        TRY(auto marker, marker_of(batch));
        if (epoch < producer->epoch) return fail(Errc::invalid_producer_epoch);
        if (marker && marker->coordinator_epoch < producer->coordinator_epoch) return fail(Errc::fenced_leader_epoch);
        return std::nullopt;
    }
    auto first = batch.base_sequence();
    if (origin == Origin::client && epoch == producer->epoch) {
        for (size_t i = 0; i < producer->batch_count; ++i) {
            auto& known = producer->batches[i];
            if (known.first_sequence() == first && known.last_sequence == batch.last_sequence()) return known;
        }
    }
    if (epoch < producer->epoch) return fail(Errc::invalid_producer_epoch);
    if (origin == Origin::client) {
        bool is_next = epoch != producer->epoch ? first == 0 || producer->epoch < 0
                                                : follows(producer->has_batches() ? producer->newest().last_sequence : -1, first);
        if (!is_next) return fail(Errc::out_of_order_sequence);
    }
    if (producer->transaction_first_offset != no_offset && !batch.is_transactional()) return fail(Errc::invalid_record);
    return std::nullopt;
}

std::optional<EndedTransaction> Producers::note(BatchView batch) {
    end_offset_ = batch.next_offset();
    if (!batch.has_producer()) return {};
    if (batch.is_control()) return note_marker(batch);

    auto& producer = producers_[batch.producer_id()];
    take_epoch(producer, batch.producer_epoch());
    add(producer, {batch.last_sequence(), batch.last_offset_delta(), batch.last_offset(), batch.max_timestamp()});
    producer.last_timestamp = batch.max_timestamp();
    if (batch.is_transactional() && producer.transaction_first_offset == no_offset) {
        producer.transaction_first_offset = batch.base_offset();
        open_.emplace(batch.base_offset(), batch.producer_id());
    }
    return {};
}

std::optional<EndedTransaction> Producers::note_marker(BatchView batch) {
    auto marker = marker_of(batch);
    if (!marker || !*marker) return {};
    auto id = batch.producer_id();
    auto& producer = producers_[id];
    take_epoch(producer, batch.producer_epoch());
    producer.coordinator_epoch = (*marker)->coordinator_epoch;
    producer.last_timestamp = batch.max_timestamp();
    auto first = std::exchange(producer.transaction_first_offset, no_offset);
    if (first == no_offset) return {};

    EndedTransaction ended;
    ended.producer_id = id;
    ended.first_offset = first;
    ended.last_offset = batch.base_offset();
    ended.aborted = !(*marker)->commit;
    open_.erase(first);
    ended_[first] = ended.last_offset;
    ended.last_stable_offset = open_.empty() ? ended.last_offset + 1 : open_.begin()->first;
    return ended;
}

void Producers::reset(Offset end) {
    producers_.clear();
    open_.clear();
    ended_.clear();
    end_offset_ = end;
}

void Producers::expire(Timestamp now, int64_t expiration_ms) {
    std::erase_if(producers_, [&](auto& entry) { return is_expired(entry.second, now, expiration_ms); });
}

Offset Producers::first_unstable_offset(Offset high_watermark) const {
    auto first = open_.empty() ? no_offset : open_.begin()->first;
    for (auto& [begin, marker] : ended_) {
        if (first != no_offset && begin >= first) break;
        if (marker >= high_watermark) return begin;
    }
    return first;
}

void Producers::high_watermark_moved(Offset high_watermark) {
    if (ended_.empty()) return;
    std::erase_if(ended_, [&](auto& entry) { return entry.second < high_watermark; });
}

std::vector<std::byte> Producers::encode_snapshot() const {
    std::vector<int64_t> ids;
    ids.reserve(producers_.size());
    for (auto& [id, producer] : producers_) ids.push_back(id);
    std::sort(ids.begin(), ids.end());  // The same state gives the same bytes.

    std::vector<std::byte> file(entries_at + ids.size() * entry_size);
    store_be(file.data(), snapshot_version);
    store_be(file.data() + count_at, int32_t(ids.size()));
    auto* to = file.data() + entries_at;
    for (auto id : ids) {
        auto& producer = producers_.at(id);
        auto newest = producer.has_batches() ? producer.newest() : ProducerBatch();
        store_be(to + entry_at::id, id);
        store_be(to + entry_at::epoch, producer.epoch);
        store_be(to + entry_at::last_sequence, newest.last_sequence);
        store_be(to + entry_at::last_offset, newest.last_offset.value);
        store_be(to + entry_at::offset_delta, newest.offset_delta);
        store_be(to + entry_at::timestamp, producer.last_timestamp.ms);
        store_be(to + entry_at::coordinator_epoch, producer.coordinator_epoch);
        store_be(to + entry_at::transaction_first_offset, producer.transaction_first_offset.value);
        to += entry_size;
    }
    store_be(file.data() + crc_at, crc32c(Bytes(file).subspan(crc_covers_from)));
    return file;
}

Result<std::vector<std::pair<int64_t, Producer>>> decode_snapshot(Bytes file) {
    if (file.size() < entries_at || load_be<int16_t>(file.data()) != snapshot_version) return fail(Errc::malformed);
    if (load_be<uint32_t>(file.data() + crc_at) != crc32c(file.subspan(crc_covers_from))) return fail(Errc::malformed);
    auto count = load_be<int32_t>(file.data() + count_at);
    if (count < 0 || file.size() - entries_at != size_t(count) * entry_size) return fail(Errc::malformed);

    std::vector<std::pair<int64_t, Producer>> producers;
    producers.reserve(size_t(count));
    for (auto* from = file.data() + entries_at; count > 0; --count, from += entry_size) {
        Producer producer;
        producer.epoch = load_be<int16_t>(from + entry_at::epoch);
        producer.coordinator_epoch = load_be<int32_t>(from + entry_at::coordinator_epoch);
        producer.last_timestamp = {load_be<int64_t>(from + entry_at::timestamp)};
        auto first = load_be<int64_t>(from + entry_at::transaction_first_offset);
        producer.transaction_first_offset = first >= 0 ? Offset{first} : no_offset;
        ProducerBatch batch;
        batch.last_sequence = load_be<int32_t>(from + entry_at::last_sequence);
        batch.offset_delta = load_be<int32_t>(from + entry_at::offset_delta);
        batch.last_offset = {load_be<int64_t>(from + entry_at::last_offset)};
        batch.timestamp = producer.last_timestamp;
        if (batch.offset_delta < 0) return fail(Errc::malformed);
        if (batch.last_offset.value >= 0) add(producer, batch);
        producers.emplace_back(load_be<int64_t>(from + entry_at::id), producer);
    }
    return producers;
}

Result<> Producers::load_snapshot(Bytes file, Offset end, Timestamp now, int64_t expiration_ms) {
    TRY(auto producers, decode_snapshot(file));
    for (auto& [id, producer] : producers) {
        // It tells of what was before its place in the log, and nothing else.
        if (producer.transaction_first_offset >= end || (producer.has_batches() && producer.newest().last_offset >= end)) {
            return fail(Errc::malformed);
        }
    }
    reset(end);
    for (auto& [id, producer] : producers) {
        if (is_expired(producer, now, expiration_ms)) continue;
        if (producer.transaction_first_offset != no_offset) open_[producer.transaction_first_offset] = id;
        producers_[id] = producer;
    }
    return {};
}

}  // namespace rafka::engine
