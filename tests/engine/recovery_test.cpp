#include "engine/bench_of_logs.hpp"

#include "base/endian.hpp"
#include "base/log.hpp"

using namespace rafka;
using namespace rafka::tests;
namespace fs = std::filesystem;

namespace {

// As a kill at this moment would leave it.
void copy_of(const std::string& from, const std::string& to) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
}

void overwrite(const std::string& path, uint64_t position, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    REQUIRE(file);
    file.seekp(std::streamoff(position));
    file << bytes;
}

LogOptions small_segments() {
    LogOptions options;
    options.segment_bytes = 2000;
    options.index_interval_bytes = 200;
    return options;
}

std::string expected(int from, int to) {
    std::string text;
    for (int i = from; i < to; ++i) text += (i > from ? " " : "") + std::to_string(i) + ":v" + std::to_string(i);
    return text;
}

}  // namespace

TEST_CASE("after a kill nothing that was acknowledged is missing, and preallocated zeros are not shown") {
    TemporaryDirectory running, killed;
    Opened log(running.path(), small_segments());
    for (int i = 0; i < 64; ++i) {
        REQUIRE(log.append("v" + std::to_string(i)));
        copy_of(running.path(), killed.path());
        Opened again(killed.path(), small_segments());
        CHECK_FALSE(again.engine().was_clean());
        CHECK(again.partition().log_end_offset() == Offset{i + 1});
        CHECK(again.read_all() == expected(0, i + 1));
        REQUIRE(again.append("v" + std::to_string(i + 1)));
        CHECK(again.read_all() == expected(0, i + 2));
    }
}

TEST_CASE("the first broken batch beyond the recovery point ends the log, and later segments go") {
    TemporaryDirectory running, killed;
    Opened log(running.path(), small_segments());
    for (int i = 0; i < 64; ++i) REQUIRE(log.append("v" + std::to_string(i)));
    for (auto& entry : fs::directory_iterator(running.path() + "/events-0")) {
        auto name = entry.path().filename().string();
        if (!name.ends_with(".log")) continue;
        copy_of(running.path(), killed.path());
        auto base = std::stoi(name.substr(0, 20));
        // A byte in the third batch's records.
        auto batch = BatchView::frame(Bytes(batch_of("v10")));
        REQUIRE(batch);
        overwrite(killed.path() + "/events-0/" + name, batch->size() * 3 + 65, "?");
        Opened again(killed.path(), small_segments());
        auto end = again.partition().log_end_offset().value;
        CHECK(end >= base + 2);
        CHECK(end <= base + 4);
        CHECK(again.read_all() == expected(0, int(end)));
        CHECK(again.append("more")->base_offset == Offset{end});
    }
}

TEST_CASE("below the recovery point nothing is read again") {
    TemporaryDirectory running, killed;
    Opened log(running.path(), small_segments());
    for (int i = 0; i < 64; ++i) REQUIRE(log.append("v" + std::to_string(i)));
    REQUIRE(log.loop().run(log.engine().checkpoint()));
    CHECK(text_of(running.path() + "/recovery-point-offset-checkpoint") == "0\n1\nevents 0 64\n");
    CHECK(text_of(running.path() + "/replication-offset-checkpoint") == "0\n1\nevents 0 64\n");
    copy_of(running.path(), killed.path());
    overwrite(killed.path() + "/events-0/00000000000000000000.log", 300, "????");
    Opened again(killed.path(), small_segments());
    CHECK(again.partition().log_end_offset() == Offset{64});
    CHECK(again.read_all(40) == log.read_all(40));
}

TEST_CASE("losing or spoiling any index changes no answer") {
    TemporaryDirectory running, spoilt;
    Opened log(running.path(), small_segments());
    for (int i = 0; i < 64; ++i) REQUIRE(log.append("v" + std::to_string(i)));
    for (bool clean : {false, true}) {
        if (clean) log.close();
        else REQUIRE(log.loop().run(log.engine().checkpoint()));
        for (auto& entry : fs::directory_iterator(running.path() + "/events-0")) {
            auto name = entry.path().filename().string();
            if (!name.ends_with("index")) continue;
            for (int how = 0; how < 4; ++how) {
                copy_of(running.path(), spoilt.path());
                auto path = spoilt.path() + "/events-0/" + name;
                auto size = size_of(path);
                if (how == 0) fs::remove(path);
                if (how == 1) fs::resize_file(path, 0);
                if (how == 2) fs::resize_file(path, size + 4096);
                if (how == 3) fs::resize_file(path, size + 3);
                CAPTURE(name);
                CAPTURE(how);
                CAPTURE(clean);
                Opened again(spoilt.path(), small_segments());
                CHECK(again.read_all() == expected(0, 64));
                auto found = again.loop().run(again.partition().find_by_timestamp(Timestamp{1'700'000'000'000}, Isolation::read_uncommitted));
                REQUIRE(found);
                CHECK(found->offset == Offset{0});
                CHECK(again.append("v64")->base_offset == Offset{64});
                CHECK(again.read_all(60) == expected(60, 65));
            }
        }
    }
}

TEST_CASE("room at the end of index files is given back, even if nothing was written since") {
    for (int count : {0, 1, 16}) {
        TemporaryDirectory running, killed;
        Opened log(running.path(), small_segments());
        for (int i = 0; i < count; ++i) REQUIRE(log.append("v" + std::to_string(i)));
        REQUIRE(log.loop().run(log.engine().checkpoint()));
        copy_of(running.path(), killed.path());
        auto in_killed = [&](const std::string& name) { return killed.path() + "/events-0/" + name; };
        for (auto name : {"00000000000000000000.index", "00000000000000000000.timeindex"}) {
            fs::resize_file(in_killed(name), 1 << 20);
        }
        for (bool clean : {false, true}) {
            Opened again(killed.path(), small_segments());
            CHECK(again.engine().was_clean() == clean);
            CHECK(again.read_all() == expected(0, count));
            again.close();
            CHECK(size_of(in_killed("00000000000000000000.index")) == size_of(log.path("00000000000000000000.index")));
            auto times = size_of(in_killed("00000000000000000000.timeindex"));
            CHECK(times <= size_of(log.path("00000000000000000000.timeindex")) + 12);
        }
    }
}

namespace {

std::string lines;

void keep_line(log::Level, std::string_view line) { lines += std::string(line) + '\n'; }

}  // namespace

TEST_CASE("a clean close leaves the greatest time in its index, also after a kill, and the next start mends nothing") {
    TemporaryDirectory running, killed;
    {
        Opened log(running.path());
        REQUIRE(log.append(batch_of("a", 1'000)));
        REQUIRE(log.append(batch_of("b", 3'000)));
        REQUIRE(log.append(batch_of("c", 2'000)));
        copy_of(running.path(), killed.path());
    }
    auto name = killed.path() + "/events-0/00000000000000000000.timeindex";
    { Opened log(killed.path()); }
    auto text = text_of(name);
    REQUIRE(text.size() == 12);
    CHECK(load_be<int64_t>(text.data()) == 3'000);
    CHECK(load_be<int32_t>(text.data() + 8) == 1);

    auto level = log::level();
    log::set_level(log::Level::warn);
    log::set_sink(keep_line);
    lines.clear();
    { Opened log(killed.path()); }
    log::set_sink(nullptr);
    log::set_level(level);
    CHECK(lines == "");
    CHECK(text_of(name) == text);
}

TEST_CASE("what a replacement of segments left behind is finished or undone") {
    TemporaryDirectory directory;
    {
        Opened log(directory.path(), small_segments());
        for (int i = 0; i < 64; ++i) REQUIRE(log.append("v" + std::to_string(i)));
    }
    auto at = directory.path() + "/events-0/";
    auto touch = [&](const std::string& name) { std::ofstream(at + name) << "x"; };
    touch("00000000000000000000.log.deleted");
    touch("00000000000000000000.log.cleaned");
    touch("00000000000000000000.index.swap");
    touch("00000000000000000077-0000000003.checkpoint.deleted");
    touch("00000000000000000077-0000000003.checkpoint");
    fs::remove(directory.path() + "/.kafka_cleanshutdown");
    {
        Opened log(directory.path(), small_segments());
        CHECK(log.read_all() == expected(0, 64));
    }
    CHECK_FALSE(fs::exists(at + "00000000000000000000.log.deleted"));
    CHECK_FALSE(fs::exists(at + "00000000000000000000.log.cleaned"));
    CHECK_FALSE(fs::exists(at + "00000000000000000000.index.swap"));
    CHECK(fs::exists(at + "00000000000000000077-0000000003.checkpoint.deleted"));
    CHECK(fs::exists(at + "00000000000000000077-0000000003.checkpoint"));
    // A finished swap: the first segment under its new name, with its sources still there.
    for (auto suffix : {".log", ".index", ".timeindex"}) {
        fs::copy(at + "00000000000000000000" + suffix, at + "00000000000000000000" + suffix + ".swap");
    }
    Opened log(directory.path(), small_segments());
    CHECK(log.read_all() == expected(0, 64));
    CHECK_FALSE(fs::exists(at + "00000000000000000000.log.swap"));
}

TEST_CASE("leader epochs beyond the end are forgotten, and those of batches found again") {
    TemporaryDirectory running, killed;
    Opened log(running.path());
    REQUIRE(log.loop().run(log.partition().become_leader(3)));
    CHECK(text_of(log.path("leader-epoch-checkpoint")) == "0\n1\n3 0\n");
    REQUIRE(log.append("a b"));
    REQUIRE(log.loop().run(log.partition().become_leader(5)));
    REQUIRE(log.append("c"));
    CHECK(log.partition().epoch_of(Offset{1}) == 3);
    CHECK(log.partition().epoch_of(Offset{2}) == 5);
    CHECK(log.partition().epoch_end(3).end_offset == Offset{2});
    CHECK(log.partition().epoch_end(5).end_offset == Offset{3});
    copy_of(running.path(), killed.path());
    fs::remove(killed.path() + "/events-0/leader-epoch-checkpoint");
    {
        Opened again(killed.path());
        CHECK(again.partition().leader_epoch() == 5);
        CHECK(again.partition().epoch_of(Offset{1}) == 3);
    }
    copy_of(running.path(), killed.path());
    overwrite(killed.path() + "/events-0/leader-epoch-checkpoint", 0, "0\n3\n3 0\n5 2\n9 7\n");
    Opened again(killed.path());
    CHECK(again.partition().leader_epoch() == 5);
}

TEST_CASE("a directory that another topic of the same name left is set aside") {
    TemporaryDirectory directory;
    {
        Opened log(directory.path());
        REQUIRE(log.append("old"));
    }
    OneLoop one;
    Loop* loops[] = {&one.loop()};
    EngineOptions options;
    options.directory = directory.path();
    auto engine = one.run(Engine::open(loops, options));
    REQUIRE(engine);
    REQUIRE((*engine)->found().size() == 1);
    CHECK((*engine)->found()[0].topic_id == key_of(7).topic_id);
    auto opened = one.run((*engine)->open_partition(key_of(8), "events", LogOptions()));
    REQUIRE(opened);
    CHECK((*opened)->log_end_offset() == Offset{0});
    CHECK(one.run((*engine)->close(-1)));
    int strays = 0;
    for (auto& entry : fs::directory_iterator(directory.path())) strays += entry.path().string().ends_with("-stray");
    CHECK(strays == 1);
}
