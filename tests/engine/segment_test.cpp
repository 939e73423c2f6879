#include "engine/bench_of_logs.hpp"

#include "engine/offset_index.hpp"
#include "engine/segment.hpp"
#include "engine/time_index.hpp"

#include <set>

using namespace rafka;
using namespace rafka::tests;
namespace fs = std::filesystem;

namespace {

// Names of the partition's files that end so, in order.
std::vector<std::string> files(const std::string& directory, const std::string& suffix) {
    std::set<std::string> names;
    for (auto& entry : fs::directory_iterator(directory + "/events-0")) {
        auto name = entry.path().filename().string();
        if (name.ends_with(suffix)) names.insert(name);
    }
    return {names.begin(), names.end()};
}

}  // namespace

TEST_CASE("a log rolls by bytes, and its older segments are cut, indexed and have a snapshot behind them") {
    TemporaryDirectory directory;
    LogOptions options;
    options.segment_bytes = 2000;
    options.index_interval_bytes = 200;
    std::string all;
    {
        Opened log(directory.path(), options);
        for (int i = 0; i < 100; ++i) {
            REQUIRE(log.append("v" + std::to_string(i)));
            all += (i ? " " : "") + std::to_string(i) + ":v" + std::to_string(i);
        }
        CHECK(log.read_all() == all);
        CHECK(log.partition().size_bytes() > 6000);
    }
    auto logs = files(directory.path(), ".log");
    REQUIRE(logs.size() > 3);
    CHECK(files(directory.path(), ".index").size() == logs.size());
    CHECK(files(directory.path(), ".timeindex").size() == logs.size());
    CHECK(files(directory.path(), ".snapshot").size() == logs.size());  // None for 0, one for the end.
    for (auto& name : logs) {
        auto path = directory.path() + "/events-0/" + name;
        CHECK(size_of(path) <= 2000);
        CHECK(size_of(path) > 0);
        CHECK(size_of(fs::path(path).replace_extension(".index")) % 8 == 0);
        CHECK(size_of(fs::path(path).replace_extension(".index")) > 0);
        CHECK(size_of(fs::path(path).replace_extension(".timeindex")) % 12 == 0);
    }
    Opened log(directory.path(), options);
    CHECK(log.engine().was_clean());
    CHECK(log.read_all() == all);
    for (int from : {0, 1, 17, 50, 98, 99}) {
        auto records = log.read(from, 1);
        REQUIRE(records);
        CHECK(show(*records) == std::to_string(from) + ":v" + std::to_string(from));
    }
    CHECK(log.append("next")->base_offset == Offset{100});
}

TEST_CASE("a log rolls by the records' time, and by the clock where they have none") {
    TemporaryDirectory directory;
    LogOptions options;
    options.segment_ms = 1000;
    Opened log(directory.path(), options);
    int64_t start = 1'700'000'000'000;
    REQUIRE(log.append(batch_of("a", start)));
    REQUIRE(log.append(batch_of("b", start + 1000)));
    CHECK(files(directory.path(), ".log").size() == 1);
    REQUIRE(log.append(batch_of("c", start + 1001)));
    CHECK(files(directory.path(), ".log").size() == 2);
    REQUIRE(log.append(batch_of("d", start)));  // Older than the segment: no reason to roll.
    CHECK(files(directory.path(), ".log").size() == 2);
    CHECK(log.read_all() == "0:a 1:b 2:c 3:d");
}

TEST_CASE("a log rolls when an index is full, or an offset would be too far from its base") {
    TemporaryDirectory directory;
    LogOptions options;
    options.segment_index_bytes = 36;  // Four offset entries, three of time, one of those kept for the end.
    options.index_interval_bytes = 0;
    Opened log(directory.path(), options);
    for (int i = 0; i < 10; ++i) REQUIRE(log.append(batch_of("x", 1'700'000'000'000 + i)));
    CHECK(files(directory.path(), ".log").size() >= 3);
    CHECK(log.read_all(7) == "7:x 8:x 9:x");
}

TEST_CASE("an empty partition holds next to nothing, one with a record a few blocks") {
    TemporaryDirectory directory;
    Opened log(directory.path());
    CHECK(size_of(log.path("00000000000000000000.log")) == 0);
    REQUIRE(log.append("a"));
    auto size = size_of(log.path("00000000000000000000.log"));
    CHECK(size <= 16384);
    CHECK(size >= 4096);
    log.close();
    CHECK(size_of(directory.path() + "/events-0/00000000000000000000.log") < 100);
}

TEST_CASE("steps of allocation grow with the rate of a log") {
    TemporaryDirectory directory;
    Opened log(directory.path());
    std::string value(100'000, 'x');
    uintmax_t most = 0;
    for (int i = 0; i < 60; ++i) {
        REQUIRE(log.append(value));
        auto data = log.partition().size_bytes();
        auto size = size_of(log.path("00000000000000000000.log"));
        CHECK(size >= data);
        most = std::max<uintmax_t>(most, size - data);
    }
    CHECK(most >= 1'000'000);
    log.close();
    CHECK(size_of(directory.path() + "/events-0/00000000000000000000.log") < 6'100'000);
}

TEST_CASE("batches larger than a chunk, a write and a read come back whole") {
    TemporaryDirectory directory;
    LogOptions options;
    options.max_message_bytes = 8 << 20;
    options.segment_bytes = 20 << 20;
    std::vector<std::string> values;
    {
        Opened log(directory.path(), options);
        for (int i = 0; i < 12; ++i) {
            values.push_back(std::string(size_t(1) << (i + 10), char('a' + i)));
            REQUIRE(log.append(values.back()));
        }
        for (int i = 0; i < 12; ++i) CHECK(log.read_all(i).starts_with(std::to_string(i) + ":" + values[size_t(i)]));
    }
    Opened log(directory.path(), options);
    for (int i = 0; i < 12; ++i) {
        auto records = log.read(i, 1);
        REQUIRE(records);
        CHECK(show(*records) == std::to_string(i) + ":" + values[size_t(i)]);
        auto none = log.read(i, 1, false);
        REQUIRE(none);
        CHECK(none->size == 0);
    }
}

TEST_CASE("segments roll early by a share of the jitter, each by its own") {
    LogOptions options;
    options.segment_ms = 1000;
    options.segment_jitter_ms = 400;
    auto rolls_at = [&](uint64_t chance) {
        engine::Segment segment(Offset{0}, options.segment_index_bytes, chance);
        segment.size = 100;
        segment.first_timestamp = Timestamp{5000};
        int64_t time = 5000;
        while (!segment.must_roll(100, Timestamp{time}, Offset{9}, Timestamp{0}, options)) ++time;
        return time - 5000;
    };
    CHECK(rolls_at(0) == 1001);
    CHECK(rolls_at(399) == 602);
    CHECK(rolls_at(400) == 1001);
    options.segment_jitter_ms = 1'000'000;  // Never more than segment.ms.
    CHECK(rolls_at(1999) == 2);
    options.segment_jitter_ms = 0;
    CHECK(rolls_at(77) == 1001);
}
