// Files that say what cannot be: each of these once ended the process, made somebody wait forever, or was believed.

#include "engine/bench_of_logs.hpp"

#include "base/endian.hpp"
#include "engine/segment.hpp"

#include <limits>

using namespace rafka;
using namespace rafka::tests;
namespace fs = std::filesystem;

namespace {

LogOptions small_segments() {
    LogOptions options;
    options.segment_bytes = 2000;
    options.index_interval_bytes = 200;
    return options;
}

template <class T>
void overwrite(const std::string& path, uint64_t position, T number) {
    std::array<std::byte, sizeof(T)> bytes;
    store_be(bytes.data(), number);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    REQUIRE(file);
    file.seekp(std::streamoff(position));
    file << as_text(bytes);
}

// A log of 64 records, cleanly closed: several segments with their indexes.
void write_log(const std::string& directory) {
    Opened log(directory, small_segments());
    for (int i = 0; i < 64; ++i) REQUIRE(log.append(batch_of("v" + std::to_string(i), 1'700'000'000'000 + i)));
}

std::vector<std::string> names(const std::string& directory, const std::string& suffix) {
    std::vector<std::string> found;
    for (auto& entry : fs::directory_iterator(directory + "/events-0")) {
        if (entry.path().string().ends_with(suffix)) found.push_back(entry.path().string());
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

TEST_CASE("an offset that reaches beyond 64 bits ends the log as any other damage does") {
    TemporaryDirectory running, killed;
    Opened log(running.path());
    for (int i = 0; i < 3; ++i) REQUIRE(log.append("a b c"));
    auto second = BatchView::frame(Bytes(batch_of("a b c")))->size();
    for (auto offset : {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max() - 1, int64_t(-3)}) {
        fs::remove_all(killed.path());
        fs::copy(running.path(), killed.path(), fs::copy_options::recursive);
        overwrite(killed.path() + "/events-0/00000000000000000000.log", second, offset);
        Opened again(killed.path());
        CHECK(again.partition().log_end_offset() == Offset{3});
        CHECK(again.read_all() == "0:a 1:b 2:c");
    }
}

TEST_CASE("a time index that points beyond its segment is built anew") {
    for (bool sealed : {false, true}) {
        CAPTURE(sealed);
        TemporaryDirectory directory;
        write_log(directory.path());
        auto all = names(directory.path(), ".timeindex");
        REQUIRE(all.size() > 2);
        auto path = sealed ? all[0] : all.back();
        REQUIRE(size_of(path) >= 12);
        overwrite(path, size_of(path) - 4, std::numeric_limits<int32_t>::max());
        Opened log(directory.path(), small_segments());
        auto latest = log.loop().run(log.partition().find_max_timestamp(Isolation::read_uncommitted));
        REQUIRE(latest);
        CHECK(latest->offset == Offset{63});
        auto found = log.loop().run(log.partition().find_by_timestamp(Timestamp{1'700'000'000'003}, Isolation::read_uncommitted));
        REQUIRE(found);
        CHECK(found->offset == Offset{3});
        for (int i = 64; i < 90; ++i) REQUIRE(log.append(batch_of("more", 1'700'000'000'000 + i)));
    }
}

TEST_CASE("a time index that contradicts the batches behind it is built anew") {
    TemporaryDirectory directory;
    write_log(directory.path());
    auto path = names(directory.path(), ".timeindex").back();
    auto log_path = names(directory.path(), ".log").back();
    auto base = std::stoll(log_path.substr(log_path.size() - 24, 20));
    // The last batch is said to be the first one with a time before all others.
    std::ofstream(path, std::ios::trunc);
    fs::resize_file(path, 12);
    overwrite(path, 0, int64_t(5));
    overwrite(path, 8, int32_t(63 - base));
    Opened log(directory.path(), small_segments());
    auto latest = log.loop().run(log.partition().find_max_timestamp(Isolation::read_uncommitted));
    REQUIRE(latest);
    CHECK(latest->offset == Offset{63});
    CHECK(log.read_all(60) == "60:v60 61:v61 62:v62 63:v63");
}

TEST_CASE("an index entry that points into a batch, or at another one, is not used") {
    for (int32_t shift : {1, 70, -70}) {
        CAPTURE(shift);
        TemporaryDirectory directory;
        write_log(directory.path());
        auto path = names(directory.path(), ".index")[0];
        REQUIRE(size_of(path) >= 16);
        auto text = text_of(path);
        auto position = load_be<int32_t>(reinterpret_cast<const std::byte*>(text.data()) + 4);
        overwrite(path, 4, position + shift);
        Opened log(directory.path(), small_segments());
        CHECK(log.read_all().starts_with("0:v0 1:v1 2:v2 3:v3 4:v4"));
        for (int i = 0; i < 20; ++i) {
            auto records = log.read(i, 1);
            REQUIRE(records);
            CHECK(show(*records) == std::to_string(i) + ":v" + std::to_string(i));
            auto time = Timestamp{1'700'000'000'000 + i};
            auto found = log.loop().run(log.partition().find_by_timestamp(time, Isolation::read_uncommitted));
            REQUIRE(found);
            CHECK(found->offset == Offset{i});
        }
    }
}

TEST_CASE("a damaged segment whose index has to be built anew is an error of whoever reads it") {
    TemporaryDirectory directory;
    write_log(directory.path());
    auto index = names(directory.path(), ".index")[0];
    fs::resize_file(index, size_of(index) + 3);
    // The third batch goes back to the first one's offset: below the recovery point nobody has looked.
    auto size = BatchView::frame(Bytes(batch_of("v0")))->size();
    overwrite(names(directory.path(), ".log")[0], 2 * size, int64_t(0));
    Opened log(directory.path(), small_segments());
    auto read = log.read(0);
    CHECK_FALSE(read);
    CHECK(log.read_all(60) == "60:v60 61:v61 62:v62 63:v63");
}

TEST_CASE("an index that is lost takes nothing with it, whatever its segment has become") {
    TemporaryDirectory directory;
    write_log(directory.path());
    fs::remove(names(directory.path(), ".index")[0]);
    // A byte of the second batch's records, below the recovery point.
    auto size = BatchView::frame(Bytes(batch_of("v0")))->size();
    auto first = names(directory.path(), ".log")[0];
    auto before = size_of(first);
    overwrite(first, size + 65, int8_t(-1));
    Opened log(directory.path(), small_segments());
    CHECK(log.partition().log_end_offset() == Offset{64});
    CHECK(log.read_all(60) == "60:v60 61:v61 62:v62 63:v63");
    CHECK(size_of(first) == before);
    CHECK(size_of(names(directory.path(), ".index")[0]) > 0);
}

TEST_CASE("a batch that reaches into the next segment ends the log") {
    TemporaryDirectory running, killed;
    Opened log(running.path(), small_segments());
    for (int i = 0; i < 64; ++i) REQUIRE(log.append("v" + std::to_string(i)));
    fs::remove_all(killed.path());
    fs::copy(running.path(), killed.path(), fs::copy_options::recursive);
    auto second = std::stoll(fs::path(names(killed.path(), ".log")[1]).filename().string().substr(0, 20));
    auto size = int64_t(BatchView::frame(Bytes(batch_of("v1")))->size());
    // The third batch's offset, which no checksum covers.
    overwrite(names(killed.path(), ".log")[0], uint64_t(2 * size), second + 1);
    Opened again(killed.path(), small_segments());
    CHECK(again.partition().log_end_offset() == Offset{2});
    CHECK(again.read_all() == "0:v0 1:v1");
}

TEST_CASE("checkpoints are believed as far as they are possible") {
    for (auto offset : {"-5", "9223372036854775807"}) {
        TemporaryDirectory directory;
        { Opened log(directory.path()); }
        for (auto suffix : {".log", ".index", ".timeindex"}) {
            fs::remove(directory.path() + "/events-0/00000000000000000000" + suffix);
        }
        for (auto name : {"log-start-offset-checkpoint", "recovery-point-offset-checkpoint"}) {
            std::ofstream(directory.path() + "/" + name) << "0\n1\nevents 0 " << offset << "\n";
        }
        Opened log(directory.path());
        CHECK(log.partition().log_start_offset() == Offset{0});
        REQUIRE(log.append("a"));
        CHECK(log.read_all() == "0:a");
    }
}

TEST_CASE("a file whose name is no offset that can be is not of the log") {
    TemporaryDirectory directory;
    write_log(directory.path());
    auto stranger = directory.path() + "/events-0/notes.log.swap";
    auto beyond = directory.path() + "/events-0/9223372036854775807.log";
    fs::copy(names(directory.path(), ".log").back(), stranger);
    std::ofstream(beyond) << "";
    Opened log(directory.path(), small_segments());
    CHECK(log.partition().log_end_offset() == Offset{64});
    CHECK(log.read_all(62) == "62:v62 63:v63");
    CHECK(log.read(0));
    CHECK(fs::exists(stranger));
    CHECK(fs::exists(beyond));
}

TEST_CASE("segments roll by time however far apart the times of records are") {
    engine::Segment segment(Offset{0}, 1000, 0);
    segment.size = 100;
    segment.first_timestamp = Timestamp{std::numeric_limits<int64_t>::min()};
    LogOptions options;
    CHECK(segment.must_roll(100, Timestamp{std::numeric_limits<int64_t>::max()}, Offset{9}, Timestamp{0}, options));
    CHECK_FALSE(segment.must_roll(100, Timestamp{std::numeric_limits<int64_t>::min() + 1}, Offset{9}, Timestamp{0}, options));
}
