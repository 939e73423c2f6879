#include "engine/dump.hpp"

#include "engine/checkpoint_file.hpp"
#include "engine/offset_index.hpp"
#include "engine/paths.hpp"
#include "engine/producers.hpp"
#include "engine/scanner.hpp"
#include "engine/time_index.hpp"
#include "engine/validation.hpp"
#include "io/file.hpp"

#include "base/endian.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <limits>

namespace rafka::engine {
namespace {

constexpr std::string_view checkpoint_suffix = ".checkpoint";  // A snapshot of the metadata log: batches as in a .log.
constexpr std::string_view text_files[] = {recovery_point_file, log_start_file,    high_watermark_file,     cleaner_file,
                                           clean_shutdown_file, leader_epoch_file, partition_metadata_file, meta_properties_file};

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string_view suffix_of(std::string_view name) {
    auto dot = name.rfind('.');
    return dot == name.npos ? std::string_view() : name.substr(dot);
}

bool is_text(std::string_view name) { return std::find(std::begin(text_files), std::end(text_files), name) != std::end(text_files); }

bool is_known(std::string_view name) {
    auto suffix = suffix_of(name);
    return is_text(name) || suffix == checkpoint_suffix ||
           (offset_file_of(name) && (suffix == log_suffix || suffix == index_suffix || suffix == time_index_suffix ||
                                     suffix == transaction_index_suffix || suffix == snapshot_suffix));
}

// Readable text as it is, anything else in hexadecimal.
std::string show(Bytes bytes) {
    auto text = as_text(bytes);
    if (std::none_of(text.begin(), text.end(), [](char c) { return uint8_t(c) < 0x20 || c == 0x7f; })) return std::string(text);
    std::string out = "0x";
    for (auto byte : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", unsigned(byte));
    return out;
}

// As Java prints an OptionalLong.
std::string show_optional(bool there, int64_t x) { return there ? fmt::format("OptionalLong[{}]", x) : "OptionalLong.empty"; }

std::string_view time_type(BatchView batch) { return batch.is_log_append_time() ? "LogAppendTime" : "CreateTime"; }

std::string show_control(BatchView batch, const RecordView& record) {
    constexpr size_t type_at = 2, key_size = 4;
    if (!record.key || record.key->size() < key_size) return " controlType: none";
    auto type = load_be<int16_t>(record.key->data() + type_at);
    if (auto marker = marker_of(batch); marker && *marker) {
        return fmt::format(" endTxnMarker: {} coordinatorEpoch: {}", (*marker)->commit ? "COMMIT" : "ABORT", (*marker)->coordinator_epoch);
    }
    constexpr std::string_view names[] = {"ABORT", "COMMIT", "LEADER_CHANGE", "SNAPSHOT_HEADER", "SNAPSHOT_FOOTER", "KRAFT_VERSION", "KRAFT_VOTERS"};
    return fmt::format(" controlType: {}({})", type >= 0 && size_t(type) < std::size(names) ? names[type] : "UNKNOWN", type);
}

std::string show_batch(BatchView batch, uint64_t position, bool is_valid) {
    return fmt::format(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} "
        "partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {} position: {} {}: {} size: {} magic: 2 "
        "compresscodec: {} crc: {} isvalid: {}",
        batch.base_offset().value, batch.last_offset().value, batch.record_count(), batch.base_sequence(), batch.last_sequence(),
        batch.producer_id(), batch.producer_epoch(), batch.leader_epoch(), batch.is_transactional(), batch.is_control(),
        show_optional(batch.has_delete_horizon(), batch.base_timestamp().ms), position, time_type(batch), batch.max_timestamp().ms,
        batch.size(), to_text(batch.codec()), batch.crc(), is_valid);
}

int32_t sequence_of(BatchView batch, const RecordView& record) {
    if (batch.base_sequence() < 0) return -1;
    return int32_t((int64_t(batch.base_sequence()) + record.offset_delta) & std::numeric_limits<int32_t>::max());
}

std::string show_record(BatchView batch, const RecordReader& reader, const RecordView& record, bool contents) {
    auto size_of = [](const std::optional<Bytes>& bytes) { return bytes ? int64_t(bytes->size()) : -1; };
    auto line = fmt::format("| offset: {} {}: {} keySize: {} valueSize: {} sequence: {} headerKeys: [", reader.offset_of(record).value,
                            time_type(batch), reader.timestamp_of(record).ms, size_of(record.key), size_of(record.value),
                            sequence_of(batch, record));
    if (auto headers = read_headers(record)) {
        for (auto& header : *headers) {
            if (&header != headers->data()) line += ',';
            line += show(as_bytes(header.key));
        }
        line += ']';
    } else {
        line += "broken]";
    }
    if (batch.is_control()) return line + show_control(batch, record);
    if (contents && record.key) line += " key: " + show(*record.key);
    if (contents && record.value) line += " payload: " + show(*record.value);
    return line;
}

class Dumper {
public:
    Dumper(Io& io, DumpOptions options, PrintLine print) : io_(io), options_(options), print_(std::move(print)) {}

    Task<Result<bool>> file(std::string path) {
        auto name = name_of(path);
        if (!is_known(name)) co_return fail(Errc::unsupported);
        print_("Dumping " + path);
        auto suffix = suffix_of(name);
        Result<> done;
        if (suffix == log_suffix || suffix == checkpoint_suffix) done = co_await log(path, name);
        else if (suffix == index_suffix) done = co_await index(path, name);
        else if (suffix == time_index_suffix) done = co_await time_index(path, name);
        else if (suffix == transaction_index_suffix) done = co_await transaction_index(path);
        else if (suffix == snapshot_suffix) done = co_await snapshot(path);
        else done = co_await text(path, name);
        CO_CHECKED(done);
        co_return is_whole_;
    }

private:
    void complain(std::string_view what) {
        is_whole_ = false;
        print_(what);
    }

    Task<Result<>> log(std::string path, std::string name) {
        if (auto of = offset_file_of(name); of && of->suffix == log_suffix) print_(fmt::format("Log starting offset: {}", of->offset.value));
        CO_TRY(auto file, co_await io::File::open(io_, path, flag::read_only));
        CO_TRY(auto status, co_await file.status());
        BatchScanner scanner(file, 0, status.size);
        auto last = no_offset;
        for (;;) {
            while (auto batch = scanner.next()) {
                show(*batch, scanner.batch_position());
                if (batch->base_offset() <= last) {
                    complain(fmt::format("Offset {} is followed by {}", last.value, batch->base_offset().value));
                }
                last = batch->last_offset();
            }
            CO_TRY(bool more, co_await scanner.fill());
            if (!more) break;
        }
        auto left = status.size - scanner.position();
        if (scanner.end() == BatchScanner::End::zeros) print_(fmt::format("{} bytes at the end of {} are allocated and not yet written", left, name));
        else if (left > 0) complain(fmt::format("Found {} invalid bytes at the end of {}", left, name));
        co_return co_await file.close();
    }

    void show(BatchView batch, uint64_t position) {
        bool is_valid = batch.crc_matches();
        print_(show_batch(batch, position, is_valid));
        is_whole_ &= is_valid;
        if (!options_.records || !is_valid) return;
        auto reader = RecordReader::open(batch, plain_bytes_max);
        if (!reader) return complain(fmt::format("The records of the batch at {} cannot be decompressed", position));
        RecordView record;
        while (reader->next(record)) print_(show_record(batch, *reader, record, options_.contents));
        if (!reader->ok()) complain(fmt::format("A record of the batch at {} is broken", position));
    }

    // Calls `see(batch, position)` for the batches of the .log beside an index. False: there is none.
    template <class See>
    Task<Result<bool>> walk_log_of(std::string path, See& see) {
        auto log_path = path.substr(0, path.rfind('.')) + std::string(log_suffix);
        auto opened = co_await io::File::open(io_, log_path, flag::read_only);
        if (!opened && opened.error() == Errc::not_found) co_return false;
        CO_TRY(auto file, std::move(opened));
        CO_TRY(auto status, co_await file.status());
        BatchScanner scanner(file, 0, status.size);
        for (;;) {
            while (auto batch = scanner.next()) see(*batch, scanner.batch_position());
            CO_TRY(bool more, co_await scanner.fill());
            if (!more) break;
        }
        CO_CHECKED(co_await file.close());
        co_return true;
    }

    Task<Result<>> index(std::string path, std::string name) {
        CO_TRY(auto bytes, co_await io::read_file(io_, path));
        OffsetIndex index(offset_file_of(name)->offset, std::numeric_limits<uint32_t>::max());
        if (!index.load(bytes)) {
            complain(name + " does not increase, or is cut");
            co_return Result<>();
        }
        if (index.count() == 0) print_(path + " is empty.");
        std::vector<OffsetIndex::Entry> missing = index.entries();
        auto see = [&](BatchView batch, uint64_t position) {
            auto relative = batch.last_offset() - index.base();
            auto entry = std::lower_bound(missing.begin(), missing.end(), relative,
                                          [](OffsetIndex::Entry e, int64_t r) { return int64_t(e.relative_offset) < r; });
            if (entry != missing.end() && entry->relative_offset == relative && entry->position == position) missing.erase(entry);
        };
        CO_TRY(bool has_log, co_await walk_log_of(path, see));
        for (auto entry : index.entries()) print_(fmt::format("offset: {} position: {}", (index.base() + entry.relative_offset).value, entry.position));
        if (!has_log) co_return Result<>();
        for (auto entry : missing) {
            complain(fmt::format("No batch ends at offset {} and begins at position {}", (index.base() + entry.relative_offset).value, entry.position));
        }
        co_return Result<>();
    }

    Task<Result<>> time_index(std::string path, std::string name) {
        CO_TRY(auto bytes, co_await io::read_file(io_, path));
        TimeIndex index(offset_file_of(name)->offset, std::numeric_limits<uint32_t>::max());
        if (!index.load(bytes)) {
            complain(name + " does not increase, or is cut");
            co_return Result<>();
        }
        if (index.count() == 0) print_(path + " is empty.");
        std::vector<bool> found(index.count());
        LargestTimestamp largest;
        size_t next = 0;
        auto see = [&](BatchView batch, uint64_t) {
            largest.see(batch.max_timestamp(), batch.last_offset());
            while (next < index.count() && index.entry(next).offset < batch.last_offset()) ++next;
            // Two entries may share an offset only where the cleaner has moved them; either is then right.
            for (; next < index.count() && index.entry(next).offset == batch.last_offset(); ++next) {
                found[next] = index.entry(next).timestamp == batch.max_timestamp() && largest.offset == batch.last_offset();
            }
        };
        CO_TRY(bool has_log, co_await walk_log_of(path, see));
        for (size_t i = 0; i < index.count(); ++i) {
            auto entry = index.entry(i);
            print_(fmt::format("timestamp: {} offset: {}", entry.timestamp.ms, entry.offset.value));
            if (has_log && !found[i]) {
                complain(fmt::format("No batch ends at offset {} and is the first with timestamp {}", entry.offset.value, entry.timestamp.ms));
            }
        }
        co_return Result<>();
    }

    Task<Result<>> transaction_index(std::string path) {
        // int16 version, int64 producer id, first offset, last offset, last stable offset.
        constexpr size_t entry_size = 34, producer_at = 2, first_at = 10, last_at = 18, stable_at = 26;
        CO_TRY(auto bytes, co_await io::read_file(io_, path));
        Bytes rest = bytes;
        for (; rest.size() >= entry_size; rest = rest.subspan(entry_size)) {
            auto number = [&](size_t at) { return load_be<int64_t>(rest.data() + at); };
            print_(fmt::format("version: {} producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}", load_be<int16_t>(rest.data()),
                               number(producer_at), number(first_at), number(last_at), number(stable_at)));
        }
        if (!rest.empty()) complain(fmt::format("{} bytes at the end are no entry", rest.size()));
        co_return Result<>();
    }

    Task<Result<>> snapshot(std::string path) {
        CO_TRY(auto bytes, co_await io::read_file(io_, path));
        auto producers = decode_snapshot(bytes);
        if (!producers) {
            complain("The snapshot is corrupt");
            co_return Result<>();
        }
        for (auto& [id, producer] : *producers) {
            auto line = fmt::format("producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {} lastTimestamp: {}", id,
                                    producer.epoch, producer.coordinator_epoch,
                                    show_optional(producer.transaction_first_offset != no_offset, producer.transaction_first_offset.value),
                                    producer.last_timestamp.ms);
            if (producer.has_batches()) {
                auto& batch = producer.newest();
                line += fmt::format(" firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}", batch.first_sequence(),
                                    batch.last_sequence, batch.last_offset.value, batch.offset_delta, batch.timestamp.ms);
            }
            print_(line);
        }
        co_return Result<>();
    }

    Task<Result<>> text(std::string path, std::string name) {
        CO_TRY(auto bytes, co_await io::read_file(io_, path));
        auto rest = as_text(bytes);
        while (!rest.empty()) {
            auto line = rest.substr(0, rest.find('\n'));
            print_(line);
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        }
        bool is_checkpoint = name == leader_epoch_file || name.ends_with("-offset-checkpoint");
        if (is_checkpoint && !checkpoint_lines(as_text(bytes))) complain(name + " does not parse");
        if (name == partition_metadata_file && !topic_id_of(as_text(bytes))) complain(name + " does not parse");
        co_return Result<>();
    }

    Io& io_;
    DumpOptions options_;
    PrintLine print_;
    bool is_whole_ = true;
};

}  // namespace

Task<Result<bool>> dump(Io& io, std::string path, DumpOptions options, PrintLine print) {
    CO_TRY(auto status, co_await io::status_of(io, path));
    Dumper dumper(io, options, std::move(print));
    if (!status.is_directory) co_return co_await dumper.file(path);
    CO_TRY(auto entries, co_await io::list(io, path));
    bool is_whole = true;
    for (auto& entry : entries) {
        if (entry.is_directory || !is_known(entry.name)) continue;
        CO_TRY(is_whole, co_await dumper.file(path + '/' + entry.name));
    }
    co_return is_whole;
}

}  // namespace rafka::engine
