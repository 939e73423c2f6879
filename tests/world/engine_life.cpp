#include "world/engine_story.hpp"

#include "world/repeat.hpp"

#include <algorithm>

namespace rafka::world {
namespace {

constexpr Isolation everything = Isolation::read_uncommitted;

template <class T>
T value_of(Result<T> result, const char* what) {
    require(result.has_value(), "{} failed: {}", what, result ? "" : to_text(result.error()));
    return std::move(*result);
}

Bytes bytes_of(const Records& records, std::vector<std::byte>& room) {
    room.clear();
    for (auto& piece : records.pieces) room.insert(room.end(), piece.bytes.begin(), piece.bytes.end());
    return room;
}

}  // namespace

EngineSetup::EngineSetup() {
    engine.directory = "/data/log";
    engine.allocation_step_min = 4096;
    engine.allocation_step_max = 64 << 10;
    machine.disk.space_bytes = 64 << 20;
}

EngineLife::EngineLife(uint64_t seed, const EngineSetup& setup, Disk disk, Archive& archive, EngineModel& model,
                       Coverage& coverage)
    : machine(seed, setup.machine, std::move(disk)),
      world(machine, seed + 1, setup.loop_count),
      setup_(setup),
      archive_(archive),
      model_(model),
      coverage_(coverage) {}

PartitionKey EngineLife::key_of(size_t partition) {
    PartitionKey key;
    key.topic_id.bytes.fill(std::byte{0x5a});
    key.partition = int32_t(partition);
    return key;
}

Task<bool> EngineLife::open() {
    auto opened = co_await Engine::open(world.loops(), setup_.engine);
    if (!opened) {
        require(has_trouble(), "the engine does not open: {}", to_text(opened.error()));
        ++coverage_.failed_opens;
        co_return false;
    }
    engine_ = std::move(*opened);
    ++model_.epoch;
    for (size_t i = 0; i < setup_.partition_count; ++i) {
        auto partition = co_await engine_->open_partition(key_of(i), "topic", setup_.log);
        Result<> leads;
        if (partition) {
            leads = co_await call_on(loop_of(i), (*partition)->become_leader(model_.epoch));
            partitions_.push_back(*partition);
        }
        if (!partition || !leads) {
            require(has_trouble(), "partition {} does not open: {}", i,
                    to_text(partition ? leads.error() : partition.error()));
            ++coverage_.failed_opens;
            co_return false;
        }
    }
    was_offline_.assign(setup_.partition_count, false);
    co_return true;
}

Task<Result<std::vector<FoundBatch>>> EngineLife::read_all(size_t index) {
    auto& partition = *partitions_[index];
    std::vector<FoundBatch> all;
    std::vector<std::byte> room;
    auto next = partition.log_start_offset();
    require(next == Offset{0}, "the log of partition {} starts at {}", index, next.value);
    while (next < partition.high_watermark()) {
        CO_TRY(auto records, co_await partition.read(next, 1 + uint32_t(world.loop().io().random() % 3000), true, everything));
        require(!records.pieces.empty(), "L2: nothing to read at {}, below the high watermark {}", next.value,
                partition.high_watermark().value);
        for (auto& batch : take_apart(archive_, bytes_of(records, room))) {
            require(batch.base_offset >= next, "L1: asked for {}, got a batch at {}", next.value, batch.base_offset.value);
            next = batch.base_offset + batch.record_count;
            all.push_back(std::move(batch));
        }
    }
    co_return all;
}

Task<bool> EngineLife::judge(bool ask_by_time) {
    for (size_t i = 0; i < partitions_.size(); ++i) {
        auto found = co_await call_on(loop_of(i), read_all(i));
        if (!found) {
            require(has_trouble(), "partition {} is not readable: {}", i, to_text(found.error()));
            co_return false;
        }
        auto& log = model_.logs[i];
        auto certain = log.certain().size();
        coverage_.judged_batches += found->size();
        log.judge(*found, partitions_[i]->high_watermark());
        coverage_.unacknowledged_survived += found->size() - certain;
        if (!ask_by_time) continue;
        bool same = co_await call_on(loop_of(i), compare_times(i, std::move(*found)));
        if (!same) co_return false;
    }
    co_return true;
}

Task<bool> EngineLife::compare_times(size_t index, std::vector<FoundBatch> found) {
    auto& partition = *partitions_[index];
    std::vector<FoundRecord> records;
    for (auto& batch : found) records.insert(records.end(), batch.records.begin(), batch.records.end());
    std::vector<Timestamp> times{{0}, {std::numeric_limits<int64_t>::max()}};
    for (size_t i = 0; i < 6 && !records.empty(); ++i) {
        auto time = records[world.loop().io().random() % records.size()].timestamp;
        times.push_back({time.ms + int64_t(world.loop().io().random() % 3) - 1});
    }
    for (auto time : times) {
        auto expected = std::find_if(records.begin(), records.end(), [&](auto& record) { return record.timestamp >= time; });
        auto answer = co_await partition.find_by_timestamp(time, everything);
        if (!answer) {
            require(has_trouble(), "no answer by timestamp: {}", to_text(answer.error()));
            co_return false;
        }
        auto offset = expected == records.end() ? no_offset : expected->offset;
        require(answer->offset == offset, "L7: at time {} the log has offset {}, the answer was {}", time.ms, offset.value,
                answer->offset.value);
        if (offset != no_offset) require(answer->timestamp == expected->timestamp, "L7: a wrong timestamp at {}", offset.value);
    }
    auto latest = std::max_element(records.begin(), records.end(), [](auto& a, auto& b) { return a.timestamp < b.timestamp; });
    auto answer = co_await partition.find_max_timestamp(everything);
    if (!answer) {
        require(has_trouble(), "no answer for the latest timestamp: {}", to_text(answer.error()));
        co_return false;
    }
    auto offset = latest == records.end() ? no_offset : latest->offset;
    require(answer->offset == offset, "L7: the latest timestamp is at {}, the answer was {}", offset.value, answer->offset.value);
    co_return true;
}

Task<bool> EngineLife::close() {
    bool closed = false;
    if (engine_) {
        auto done = co_await engine_->close(7);
        closed = done.has_value();
        bool excused = has_trouble();
        require(closed || excused, "the engine does not close: {}", closed ? "" : to_text(done.error()));
        engine_.reset();
    }
    co_return closed;
}

Task<Result<Appended>> EngineLife::append(size_t index, BatchId id) {
    Loop& home = Loop::current();
    co_await Hop(loop_of(index));
    auto& partition = *partitions_[index];
    auto& batch = archive_.at(id);
    auto attempt = model_.logs[index].begin(id);
    auto bytes = batch.bytes;
    auto appended = co_await partition.append(bytes, Origin::client);
    auto& log = model_.logs[index];
    if (appended) {
        ++(appended->duplicate ? coverage_.duplicates : coverage_.acknowledged);
        require(!was_offline_[index], "batch {} is acknowledged after its partition went offline", id);
        if (appended->duplicate) {
            log.fail(attempt);
            auto place = log.place_of(id);
            require(place.has_value(), "batch {} is called a duplicate, and was not there", id);
            require(*place == appended->base_offset, "batch {} is a duplicate of offset {}, the answer was {}", id,
                    place->value, appended->base_offset.value);
        } else {
            log.acknowledge(attempt, batch, appended->base_offset);
            require(partition.high_watermark() >= appended->base_offset + batch.record_count,
                    "L4: offset {} is acknowledged, the high watermark is {}", appended->base_offset.value,
                    partition.high_watermark().value);
        }
    } else {
        log.fail(attempt);
        auto errc = appended.error();
        ++coverage_.refused;
        if (errc == Errc::disk_full) ++coverage_.disk_full;
        if (errc == Errc::storage_offline) {
            if (!was_offline_[index]) ++coverage_.offline;
            was_offline_[index] = true;
            require(partition.offline(), "an append was refused as offline by a partition that is not");
        }
    }
    log.see_watermark(partition.high_watermark());
    co_await Hop(home);
    co_return appended;
}

const SentBatch& EngineLife::make_batch(const ProducerModel& producer, Random& random) {
    BatchBuilder::Options options;
    options.producer_id = producer.id;
    options.producer_epoch = producer.id >= 0 ? producer.epoch : int16_t(-1);
    options.base_sequence = producer.id >= 0 ? producer.next_sequence : -1;
    options.codec = random.chance(0.2) ? Codec(random.below(5)) : Codec::none;
    auto count = int32_t(random.chance(0.5) ? 1 : random.between(1, 20));
    auto size = random.chance(0.1) ? random.between(1, 20000) : random.between(1, 900);
    auto base = world.loop().io().wall();
    if (random.chance(0.2)) base.ms -= int64_t(random.below(100000));
    return archive_.make(options, count, size, base, random.chance(0.5));
}

Task<> EngineLife::send(size_t partition, BatchId batch, Result<Appended>& result) {
    result = co_await append(partition, batch);
}

Task<> EngineLife::produce(size_t which, uint32_t fresh, uint32_t window, Random random) {
    Loop& loop = Loop::current();
    auto& producer = model_.producers[which];
    if (producer.id < 0) producer.outstanding.clear();  // What a crash left in doubt stays so.
    for (int failures = 0; !stopping && failures < 10 && (fresh > 0 || !producer.outstanding.empty());) {
        while (producer.outstanding.size() < window && fresh > 0) {
            auto& batch = make_batch(producer, random);
            producer.outstanding.push_back(batch.id);
            producer.next_sequence += batch.record_count;
            --fresh;
        }
        auto sending = producer.outstanding;
        sending.resize(std::min<size_t>(sending.size(), window));
        std::vector<Result<Appended>> results(sending.size(), fail(Errc::canceled));
        Scope scope(loop);
        for (size_t i = 0; i < sending.size(); ++i) scope.start(send(producer.partition, sending[i], results[i]));
        co_await scope.drained();
        bool failed_before = false, give_up = false;
        for (size_t i = 0; i < sending.size(); ++i) {
            bool done = results[i].has_value();
            // A snapshot keeps a producer's newest batch only: an older one that is stored is out of order, as in Kafka.
            bool stored = model_.logs[producer.partition].place_of(sending[i]).has_value();
            done = done || (results[i].error() == Errc::out_of_order_sequence && stored);
            auto errc = results[i] ? Errc{} : results[i].error();
            // A gap in the sequence is a consequence of a refusal before it, never the first failure.
            if (!done && errc == Errc::out_of_order_sequence && !failed_before) {
                require(has_trouble(), "batch {} is out of sequence, and none before it failed", sending[i]);
            }
            failed_before = failed_before || !done;
            give_up = give_up || (!done && errc != Errc::disk_full);
            if (done || producer.id < 0) std::erase(producer.outstanding, sending[i]);
        }
        if (give_up) break;
        if (random.chance(0.1) && producer.id >= 0 && results.back().has_value()) {
            // Its answer was lost: the producer sends it again.
            Result<Appended> again = fail(Errc::canceled);
            co_await send(producer.partition, sending.back(), again);
            if (again) require(again->duplicate, "L5: batch {} was sent again and stored again", sending.back());
            if (!again && again.error() != Errc::out_of_order_sequence && again.error() != Errc::disk_full) break;
        }
        if (random.chance(0.5)) co_await sleep_for(loop, Duration(random.below(20'000'000)));
        if (!failed_before) continue;
        ++failures;
        co_await sleep_for(loop, std::chrono::milliseconds(50));
    }
}

Task<> EngineLife::consume(size_t index, uint32_t count, Random random) {
    Loop& home = Loop::current();
    co_await Hop(loop_of(index));
    auto& loop = Loop::current();
    auto& partition = *partitions_[index];
    std::vector<std::byte> room;
    while (!stopping && count-- > 0) {
        co_await sleep_for(loop, Duration(random.below(10'000'000)));
        auto end = partition.high_watermark();
        model_.logs[index].see_watermark(end);
        auto from = Offset{int64_t(random.below(uint64_t(end.value) + 1))};
        auto records = co_await partition.read(from, uint32_t(random.between(1, 5000)), true, everything);
        if (!records) {
            auto excused = has_trouble() || records.error() == Errc::storage_offline;
            require(excused, "reading at {} failed: {}", from.value, to_text(records.error()));
            continue;
        }
        if (from < end) require(!records->pieces.empty(), "L2: nothing to read at {}, below the high watermark {}", from.value, end.value);
        bool first = true;
        for (auto& batch : take_apart(archive_, bytes_of(*records, room))) {
            if (first) {
                require(batch.base_offset <= from && from < batch.base_offset + batch.record_count,
                        "L1: asked for {}, got a batch at {}", from.value, batch.base_offset.value);
            }
            first = false;
            require(batch.base_offset + batch.record_count <= partition.high_watermark(),
                    "L4: a fetch returned offset {}, beyond the high watermark", batch.base_offset.value);
            model_.logs[index].see(batch);
        }
    }
    co_await Hop(home);
}

Task<> EngineLife::checkpoint_sometimes(uint32_t count, Random random) {
    auto& loop = Loop::current();
    while (!stopping && count-- > 0) {
        co_await sleep_for(loop, Duration(random.below(50'000'000)));
        if (stopping) break;
        auto done = co_await engine_->checkpoint();
        bool excused = has_trouble();
        require(done.has_value() || excused, "a checkpoint failed: {}", done ? "" : to_text(done.error()));
    }
}

void damage_indexes(Disk& disk, Random& random, Coverage& coverage) {
    for (auto& [path, content] : disk.tree()) {
        bool is_index = path.ends_with(".index") || path.ends_with(".timeindex");
        if (!is_index || !random.chance(0.4)) continue;
        ++coverage.indexes_damaged;
        switch (random.below(3)) {
        case 0: disk.remove(path); break;
        case 1: disk.replace(path, ""); break;
        case 2: disk.replace(path, std::string(content.size(), '\0')); break;
        }
    }
    Random none(0);
    disk.crash(CrashChoice(Keep::all, Keep::all, Keep::all), none);
}

}  // namespace rafka::world
