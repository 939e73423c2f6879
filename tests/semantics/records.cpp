#include "semantics/records.hpp"

namespace rafka::semantics {

namespace {

std::optional<Bytes> bytes_of(const std::optional<std::string_view>& text) {
    if (!text) return std::nullopt;
    return as_bytes(*text);
}

std::string text_of(const std::optional<Bytes>& bytes) {
    if (!bytes) return "null";
    if (bytes->size() > 40) return std::to_string(bytes->size()) + " bytes";
    return std::string(as_text(*bytes));
}

}  // namespace

std::vector<std::byte> make_batch(std::initializer_list<TestRecord> records, const BatchBuilder::Options& options) {
    BatchBuilder builder(options);
    for (auto& record : records) builder.add({record.time}, bytes_of(record.key), bytes_of(record.value));
    return builder.build();
}

std::vector<std::byte> make_batch_of(int32_t count, size_t value_size, const BatchBuilder::Options& options) {
    BatchBuilder builder(options);
    std::string value(value_size, 'x');
    for (int32_t i = 0; i < count; ++i) builder.add({then}, std::nullopt, as_bytes(value));
    return builder.build();
}

void describe_batches(Mask& mask, Bytes records, int32_t partition, std::string& to) {
    while (records.size() >= batch_size_prefix) {
        auto batch = BatchView::frame(records);
        if (!batch) break;  // The last one may be cut.
        to += "\n  " + std::to_string(partition) + ": batch " + std::to_string(batch->base_offset().value) + ".." +
              std::to_string(batch->last_offset().value) + " epoch " + std::to_string(batch->leader_epoch()) + " attributes " +
              std::to_string(batch->attributes()) + " count " + std::to_string(batch->record_count());
        if (batch->has_producer()) {
            to += " producer " + std::to_string(mask.producer(batch->producer_id())) + ' ' + std::to_string(batch->producer_epoch()) + ' ' +
                  std::to_string(batch->base_sequence());
        }
        bool stamped = batch->is_log_append_time();
        to += " times " + std::to_string(batch->base_timestamp().ms) + ' ' + (stamped ? "now" : std::to_string(batch->max_timestamp().ms));
        if (!batch->crc_matches()) to += " WRONG CRC";
        auto reader = RecordReader::open(*batch, size_t(64) << 20);
        RecordView record;
        size_t shown = 0, count = 0;
        while (reader && reader->next(record)) {
            if (++count > 5) continue;
            ++shown;
            to += " [" + std::to_string(reader->offset_of(record).value) + ' ' + (stamped ? "now" : std::to_string(reader->timestamp_of(record).ms)) +
                  ' ' + text_of(record.key) + '=' + text_of(record.value) + ']';
        }
        if (count > shown) to += " and " + std::to_string(count - shown) + " more";
        if (!reader || !reader->ok()) to += " UNREADABLE";
        records = records.subspan(batch->size());
    }
}

}  // namespace rafka::semantics
