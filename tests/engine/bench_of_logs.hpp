#pragma once

// A log directory of its own, on the machine's file system, opened by an engine over Epoll.

#include "io/epoll.hpp"

#include <rafka/engine.hpp>
#include <rafka/record_batch.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace rafka::tests {

// Removed at the end.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        auto name = (std::filesystem::temp_directory_path() / "rafka-engine-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

// One loop on this thread.
class OneLoop {
public:
    Loop& loop() { return loop_; }

    template <class T>
    T run(Task<T> task) {
        std::optional<T> result;
        Scope scope(loop_);
        scope.start(keep(std::move(task), result));
        while (scope.size() > 0) loop_.turn(never);
        return std::move(*result);
    }
    void run(Task<> task) {
        Scope scope(loop_);
        scope.start(std::move(task));
        while (scope.size() > 0) loop_.turn(never);
    }

private:
    template <class T>
    static Task<> keep(Task<T> task, std::optional<T>& result) {
        result.emplace(co_await std::move(task));
    }

    io::Epoll io_;
    Loop loop_{io_, 0};
};

inline PartitionKey key_of(uint8_t topic, int32_t partition = 0) {
    PartitionKey key;
    key.topic_id.bytes[15] = std::byte{topic};
    key.partition = partition;
    return key;
}

// "a b c": a batch of three records with those values, a millisecond apart.
inline std::vector<std::byte> batch_of(const std::string& values, int64_t first_ms = 1'700'000'000'000,
                                       BatchBuilder::Options options = {}) {
    BatchBuilder builder(options);
    std::istringstream in(values);
    for (std::string value; in >> value;) builder.add(Timestamp{first_ms++}, std::nullopt, as_bytes(value));
    return builder.build();
}

// The values that a fetch brings, each with its offset: "0:a 1:b".
inline std::string show(const Records& records) {
    std::vector<std::byte> all;
    for (auto& piece : records.pieces) all.insert(all.end(), piece.bytes.begin(), piece.bytes.end());
    std::string text;
    Bytes rest(all);
    while (!rest.empty()) {
        auto batch = BatchView::frame(rest);
        REQUIRE(batch);
        REQUIRE(batch->crc_matches());
        auto reader = RecordReader::open(*batch, 1 << 20);
        REQUIRE(reader);
        RecordView record;
        while (reader->next(record)) {
            if (!text.empty()) text += ' ';
            text += std::to_string(reader->offset_of(record).value) + ":" + std::string(as_text(record.value.value_or(Bytes{})));
        }
        REQUIRE(reader->ok());
        rest = rest.subspan(batch->size());
    }
    return text;
}

// An engine on a directory, with one partition open.
class Opened {
public:
    explicit Opened(const std::string& directory, LogOptions options = {}, EngineOptions engine_options = {})
        : directory_(directory) {
        engine_options.directory = directory;
        Loop* loops[] = {&loop_.loop()};
        auto engine = loop_.run(Engine::open(loops, engine_options));
        REQUIRE(engine);
        engine_ = std::move(*engine);
        auto opened = loop_.run(engine_->open_partition(key_of(7), "events", options));
        REQUIRE(opened);
        partition_ = *opened;
    }
    ~Opened() {
        if (engine_) close();
    }

    Engine& engine() { return *engine_; }
    Partition& partition() { return *partition_; }
    OneLoop& loop() { return loop_; }

    Result<Appended> append(std::vector<std::byte> batch, Origin origin = Origin::client) {
        return loop_.run(partition_->append(batch, origin));
    }
    Result<Appended> append(const std::string& values) { return append(batch_of(values)); }
    Result<Records> read(int64_t from, uint32_t bytes_max = 1 << 20, bool at_least_one = true) {
        return loop_.run(partition_->read(Offset{from}, bytes_max, at_least_one, Isolation::read_uncommitted));
    }
    // Everything from an offset to the end.
    std::string read_all(int64_t from = 0) {
        std::string text;
        for (;;) {
            auto records = read(from);
            if (!records) return std::string(to_text(records.error()));
            if (records->size == 0) return text;
            if (!text.empty()) text += ' ';
            auto part = show(*records);
            text += part;
            from = std::stoll(part.substr(part.rfind(' ') == std::string::npos ? 0 : part.rfind(' ') + 1)) + 1;
        }
    }
    void close() {
        CHECK(loop_.run(engine_->close(-1)));
        engine_.reset();
    }

    std::string path(const std::string& name) const { return directory_ + "/events-0/" + name; }

private:
    OneLoop loop_;
    std::string directory_;
    std::unique_ptr<Engine> engine_;
    Partition* partition_ = nullptr;
};

inline uintmax_t size_of(const std::string& path) { return std::filesystem::exists(path) ? std::filesystem::file_size(path) : 0; }

inline std::string text_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
}

}  // namespace rafka::tests
