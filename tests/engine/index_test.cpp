#include "engine/offset_index.hpp"
#include "engine/time_index.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace rafka;
using namespace rafka::engine;

namespace {

constexpr uint32_t plenty = 1u << 20;
using File = std::vector<std::byte>;

template <class Index>
File file_of(const Index& index) {
    File file;
    index.encode(0, file);
    CHECK(file.size() == index.file_size());
    return file;
}

OffsetIndex offsets() {
    OffsetIndex index({1000}, plenty);
    index.append({1009}, 5000);
    index.append({1019}, 10000);
    index.append({1029}, 15000);
    return index;
}

TimeIndex times() {
    TimeIndex index({1000}, plenty);
    index.append({{50}, {1009}});
    index.append({{60}, {1019}});
    index.append({{70}, {1029}});
    return index;
}

}  // namespace

TEST_CASE("an entry is due once more than the interval has passed, and never for the first batch") {
    IndexPace pace;
    std::string due;
    for (uint32_t size : {5000, 10, 4000, 97, 3999, 100}) due += pace.due(size, 4096) ? '1' : '0';
    CHECK(due == "010010");  // Before each: 0, 5000, 10, 4010, 4107, 3999 bytes.
    pace.reset(4097);
    CHECK(pace.due(1, 4096));
    CHECK(pace.bytes_since_last_entry() == 1);
}

TEST_CASE("the greatest entry at or below an offset is found") {
    auto index = offsets();
    for (auto [target, offset, position] : {std::tuple(900, 1000, 0), {1000, 1000, 0}, {1008, 1000, 0}, {1009, 1009, 5000}, {1018, 1009, 5000},
                                            {1019, 1019, 10000}, {5000, 1029, 15000}}) {
        CHECK(index.lookup({target}) == OffsetIndex::Found{{offset}, uint32_t(position)});
    }
    CHECK(index.lookup({INT64_MAX}).position == 15000);
    CHECK(OffsetIndex({7}, plenty).lookup({9}) == OffsetIndex::Found{{7}, 0});
    CHECK(index.at_or_beyond(0)->position == 5000);
    CHECK(index.at_or_beyond(5001)->position == 10000);
    CHECK(index.at_or_beyond(15001) == nullptr);
    CHECK(index.last_offset() == Offset{1029});
}

TEST_CASE("offset index entries are Kafka's bytes") {
    OffsetIndex index({1000}, plenty);
    index.append({1001}, 0x01020304);
    CHECK(file_of(index) == File{{}, {}, {}, std::byte{1}, std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
    TimeIndex time({1000}, plenty);
    time.append({{0x0102}, {1003}});
    CHECK(file_of(time) == File{{}, {}, {}, {}, {}, {}, std::byte{1}, std::byte{2}, {}, {}, {}, std::byte{3}});
}

TEST_CASE("truncation drops what is at or beyond the end, and what the file then has is known") {
    auto index = offsets();
    index.set_written(3);
    index.truncate({1030});
    CHECK(index.count() == 3);
    index.truncate({1029});
    CHECK(index.count() == 2);
    CHECK(index.written() == 2);
    index.append({1025}, 15000);
    File more;
    index.encode(index.written(), more);
    CHECK(more.size() == 8);
    index.truncate({0});
    CHECK(index.count() == 0);

    auto time = times();
    time.set_written(2);
    time.truncate({1019});
    CHECK(time.count() == 1);
    CHECK(time.written() == 1);
    CHECK(time.last() == LargestTimestamp{{50}, {1009}});
    time.truncate({0});
    CHECK(time.last() == LargestTimestamp{no_timestamp, {1000}});
}

TEST_CASE("a full index says so; the time index keeps a place for the end") {
    OffsetIndex index({0}, 20);  // Two entries and a rest.
    index.append({1}, 1);
    CHECK_FALSE(index.full());
    index.append({2}, 2);
    CHECK(index.full());
    TimeIndex time({0}, 24);
    CHECK_FALSE(time.full());
    time.append({{1}, {1}});
    CHECK(time.full());
    time.append({{2}, {2}});
    CHECK(time.count() == 2);
}

TEST_CASE("the time index enters only what is later, and finds a lower bound") {
    auto index = times();
    index.append({{70}, {1040}});
    index.append({{65}, {1040}});
    index.append({no_timestamp, no_offset});
    CHECK(index.count() == 3);
    index.append({{71}, {1029}});  // The same batch's offset may stand twice.
    CHECK(index.count() == 4);
    for (auto [time, found, offset] : {std::tuple(-5, -1, 1000), {49, -1, 1000}, {50, 50, 1009}, {59, 50, 1009}, {60, 60, 1019}, {1000, 71, 1029}}) {
        CHECK(index.lookup({time}) == LargestTimestamp{{found}, {offset}});
    }
    LargestTimestamp largest;
    largest.see({5}, {1});
    largest.see({5}, {2});
    largest.see({4}, {3});
    CHECK(largest == LargestTimestamp{{5}, {1}});
}

TEST_CASE("files come back, without a tail of zeros") {
    auto index = offsets();
    auto file = file_of(index);
    OffsetIndex again({1000}, plenty);
    REQUIRE(again.load(file));
    CHECK(again.entries() == index.entries());
    CHECK(again.written() == 3);
    file.resize(file.size() + 8000);
    REQUIRE(again.load(file));
    CHECK(again.entries() == index.entries());
    REQUIRE(again.load(File(80)));
    CHECK(again.count() == 0);
    CHECK(again.load({}));

    auto time = times();
    file = file_of(time);
    TimeIndex time_again({1000}, plenty);
    file.resize(file.size() + 1200);
    REQUIRE(time_again.load(file));
    CHECK(file_of(time_again) == file_of(time));
    // An entry of zeros at the front is one if something follows.
    TimeIndex old({0}, plenty);
    old.append({{0}, {0}});
    old.append({{1}, {5}});
    REQUIRE(time_again.load(file_of(old)));
    CHECK(time_again.count() == 2);
}

TEST_CASE("files that cannot be are refused") {
    auto whole = file_of(offsets());
    OffsetIndex index({1000}, plenty);
    auto refused = [&](const File& file) { return !index.load(file) && index.count() == 0; };
    auto file = whole;
    file.pop_back();
    CHECK(refused(file));
    std::swap_ranges(whole.begin(), whole.begin() + 8, whole.begin() + 8);
    CHECK(refused(whole));  // Not increasing.
    whole = file_of(offsets());
    file = whole;
    file[0] = std::byte{0x80};
    CHECK(refused(file));  // A negative offset.
    file = whole;
    std::fill(file.begin() + 8, file.begin() + 16, std::byte{0});
    CHECK(refused(file));  // Zeros, and then more.

    TimeIndex time({1000}, plenty);
    auto time_file = file_of(times());
    std::swap_ranges(time_file.begin(), time_file.begin() + 12, time_file.begin() + 12);
    CHECK_FALSE(time.load(time_file));
    time_file.pop_back();
    CHECK_FALSE(time.load(time_file));
}

TEST_CASE("entries are held against the segment") {
    auto index = offsets();
    CHECK(index.fits(15001, {1030}));
    CHECK_FALSE(index.fits(15000, {1030}));
    CHECK_FALSE(index.fits(15001, {1029}));
    CHECK(OffsetIndex({5}, plenty).fits(0, {5}));
    CHECK(times().fits({1030}));
    CHECK_FALSE(times().fits({1029}));
}

TEST_CASE("lookups agree with a plain map, and files with memory, whatever was appended and truncated") {
    std::mt19937_64 random(30);
    for (int round = 0; round < 100; ++round) {
        Offset base{int64_t(random() % 1000000)};
        OffsetIndex index(base, plenty);
        TimeIndex time(base, plenty);
        std::map<int64_t, uint32_t> positions;
        File file;
        auto offset = base;
        uint32_t position = 0;
        for (int step = 0; step < 200; ++step) {
            if (random() % 20 == 0 && !positions.empty()) {
                auto end = base + int64_t(random() % uint64_t(offset - base + 1));
                index.truncate(end);
                time.truncate(end);
                positions.erase(positions.lower_bound(end.value), positions.end());
                file.resize(index.written() * OffsetIndex::entry_size);
                offset = index.last_offset();
                position = positions.empty() ? 0 : positions.rbegin()->second;
            }
            offset = offset + int64_t(1 + random() % 100);
            position += uint32_t(1 + random() % 9000);
            index.append(offset, position);
            time.append({{time.last().timestamp.ms + int64_t(random() % 3)}, offset});
            positions[offset.value] = position;
            if (random() % 10 == 0) {
                index.encode(index.written(), file);
                index.set_written(index.count());
            }
            auto target = base.value - 10 + int64_t(random() % uint64_t(offset - base + 20));
            auto next = positions.upper_bound(target);
            auto expected = next == positions.begin() ? OffsetIndex::Found{base, 0}
                                                      : OffsetIndex::Found{{std::prev(next)->first}, std::prev(next)->second};
            CHECK(index.lookup({target}) == expected);
        }
        index.encode(index.written(), file);
        OffsetIndex again(base, plenty);
        REQUIRE(again.load(file));
        CHECK(again.entries() == index.entries());
        TimeIndex time_again(base, plenty);
        REQUIRE(time_again.load(file_of(time)));
        CHECK(file_of(time_again) == file_of(time));
    }
}
