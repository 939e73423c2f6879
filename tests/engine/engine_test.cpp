#include "engine/bench_of_logs.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <thread>

using namespace rafka;
using namespace rafka::tests;
namespace fs = std::filesystem;

namespace {

BatchBuilder::Options from_producer(int64_t id, int16_t epoch, int32_t sequence) {
    BatchBuilder::Options options;
    options.producer_id = id;
    options.producer_epoch = epoch;
    options.base_sequence = sequence;
    return options;
}

Result<Appended> append_as(Opened& log, const std::string& values, int64_t id, int32_t sequence, int16_t epoch = 0) {
    // Of now: producers that were last heard of long ago are forgotten at the next start.
    auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    return log.append(batch_of(values, now.count(), from_producer(id, epoch, sequence)));
}

Task<> append_later(Partition* partition, std::vector<std::byte> batch, std::vector<int64_t>& offsets) {
    auto appended = co_await partition->append(batch, Origin::client);
    REQUIRE(appended);
    offsets.push_back(appended->base_offset.value);
}

}  // namespace

TEST_CASE("a repeated batch is answered with its first offset, also after a restart") {
    TemporaryDirectory directory;
    {
        Opened log(directory.path());
        REQUIRE(append_as(log, "a b", 9, 0));
        REQUIRE(append_as(log, "c", 9, 2));
        auto again = append_as(log, "a b", 9, 0);
        REQUIRE(again);
        CHECK(again->duplicate);
        CHECK(again->base_offset == Offset{0});
        CHECK(append_as(log, "x", 9, 7).error() == Errc::out_of_order_sequence);
        CHECK(append_as(log, "d", 9, 0, 1)->base_offset == Offset{3});  // A new epoch begins at 0.
        CHECK(append_as(log, "c", 9, 3, 0).error() == Errc::invalid_producer_epoch);
    }
    Opened log(directory.path());
    auto again = append_as(log, "d", 9, 0, 1);
    REQUIRE(again);
    CHECK(again->duplicate);
    CHECK(again->base_offset == Offset{3});
    CHECK(append_as(log, "e", 9, 1, 1)->base_offset == Offset{4});
    CHECK(log.read_all() == "0:a 1:b 2:c 3:d 4:e");
}

TEST_CASE("appends of one producer keep their order, and a duplicate waits for its original") {
    TemporaryDirectory directory;
    Opened log(directory.path());
    std::vector<int64_t> offsets;
    {
        Scope scope(log.loop().loop());
        for (int i = 0; i < 5; ++i) {
            scope.start(append_later(&log.partition(), batch_of("v", 1'700'000'000'000, from_producer(5, 0, i)), offsets));
        }
        scope.start(append_later(&log.partition(), batch_of("v", 1'700'000'000'000, from_producer(5, 0, 2)), offsets));
        while (scope.size() > 0) log.loop().loop().turn(never);
    }
    CHECK(log.partition().log_end_offset() == Offset{5});
    std::sort(offsets.begin(), offsets.end());
    CHECK(offsets == std::vector<int64_t>{0, 1, 2, 2, 3, 4});
}

TEST_CASE("the leader's epoch outlives an append that was taken back") {
    TemporaryDirectory directory;
    Opened log(directory.path());
    REQUIRE(log.loop().run(log.partition().become_leader(4)));
    REQUIRE(log.loop().run(log.partition().append(batch_of("a"), Origin::client)));
    REQUIRE(log.loop().run(log.partition().become_leader(7)));
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    auto limited = before;
    limited.rlim_cur = 256 << 10;
    auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limited) == 0);
    auto refused = log.loop().run(log.partition().append(batch_of(std::string(900'000, 'x')), Origin::client));
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    REQUIRE(!refused);
    // A read waits until the log is as its files are again.
    REQUIRE(log.loop().run(log.partition().read(Offset{0}, 1000, true, Isolation::read_uncommitted)));
    // And is tried again only a while after it found no room.
    auto appended = log.append(batch_of("b"));
    for (int i = 0; i < 100 && !appended; ++i) {
        log.loop().run([](Loop& loop) -> Task<> { co_await sleep_for(loop, std::chrono::milliseconds(100)); }(log.loop().loop()));
        appended = log.append(batch_of("b"));
    }
    REQUIRE(appended);
    CHECK(log.partition().leader_epoch() == 7);
    CHECK(log.partition().epoch_of(Offset{0}) == 4);
    CHECK(log.partition().epoch_of(Offset{1}) == 7);
}

TEST_CASE("a record is found by its time, whatever the codec and whatever order the times are in") {
    TemporaryDirectory directory;
    LogOptions options;
    options.segment_bytes = 3000;
    options.index_interval_bytes = 150;
    std::vector<int64_t> times;
    auto first_at = [&](int64_t time) {
        for (size_t i = 0; i < times.size(); ++i) {
            if (times[i] >= time) return int64_t(i);
        }
        return int64_t(-1);
    };
    auto check = [&](Opened& log) {
        for (int64_t time = 995; time <= 1800; time += 7) {
            auto found = log.loop().run(log.partition().find_by_timestamp(Timestamp{time}, Isolation::read_uncommitted));
            REQUIRE(found);
            CAPTURE(time);
            CHECK(found->offset.value == first_at(time));
            if (found->offset.value >= 0) CHECK(found->timestamp.ms == times[size_t(found->offset.value)]);
        }
        auto largest = std::max_element(times.begin(), times.end());
        auto found = log.loop().run(log.partition().find_max_timestamp(Isolation::read_uncommitted));
        REQUIRE(found);
        CHECK(found->timestamp.ms == *largest);
        CHECK(found->offset.value == largest - times.begin());
        CHECK(found->leader_epoch == 4);
    };
    {
        Opened log(directory.path(), options);
        REQUIRE(log.loop().run(log.partition().become_leader(4)));
        auto none = log.loop().run(log.partition().find_max_timestamp(Isolation::read_uncommitted));
        REQUIRE(none);
        CHECK(none->offset == no_offset);
        for (int i = 0; i < 150; ++i) {
            BatchBuilder::Options with;
            with.codec = Codec(i % 5);
            auto time = int64_t(1000 + (i * 37) % 700);
            for (int j = 0; j < 4; ++j) times.push_back(time + j);
            REQUIRE(log.append(batch_of("some values of records", time, with)));
        }
        check(log);
    }
    Opened log(directory.path(), options);
    check(log);
}

TEST_CASE("who watches is told how much came, and that the partition ends") {
    static uint64_t bytes;
    static int looks;
    bytes = 0;
    looks = 0;
    TemporaryDirectory directory;
    Opened log(directory.path());
    static uint64_t stable_bytes;
    stable_bytes = 0;
    Watch uncommitted([](Watch&, const Growth& growth) {
        bytes += growth.bytes;
        stable_bytes += growth.stable_bytes;
        if (growth.otherwise) ++looks;
    });
    Watch gone([](Watch& watch, const Growth&) { watch.partition->unwatch(watch); });
    log.partition().watch(uncommitted);
    log.partition().watch(gone);
    REQUIRE(log.append("a b"));
    REQUIRE(log.append("c"));
    CHECK(bytes == log.partition().size_bytes());
    CHECK(stable_bytes == bytes);
    CHECK(*log.loop().run(log.partition().readable(Offset{0}, Isolation::read_uncommitted)) == bytes);
    CHECK(*log.loop().run(log.partition().readable(Offset{2}, Isolation::read_uncommitted)) == batch_of("c").size());
    CHECK(gone.partition == nullptr);
    CHECK(looks == 0);
    CHECK(log.loop().run(log.engine().remove_partition(key_of(7))));
    CHECK(looks == 1);
    CHECK(log.append("d").error() == Errc::unknown_partition);
    CHECK(log.read(0).error() == Errc::unknown_partition);
    CHECK(log.engine().find(key_of(7)) == nullptr);
    CHECK_FALSE(fs::exists(directory.path() + "/events-0"));
    log.partition().unwatch(uncommitted);
}

TEST_CASE("a removed partition's directory goes after a while, and its name is free at once") {
    TemporaryDirectory directory;
    LogOptions options;
    options.file_delete_delay_ms = 50;
    Opened log(directory.path(), options);
    REQUIRE(log.append("a"));
    REQUIRE(log.loop().run(log.engine().remove_partition(key_of(7))));
    auto again = log.loop().run(log.engine().open_partition(key_of(8), "events", options));
    REQUIRE(again);
    CHECK((*again)->log_end_offset() == Offset{0});
    auto doomed = [&] {
        int count = 0;
        for (auto& entry : fs::directory_iterator(directory.path())) count += entry.path().string().ends_with("-delete");
        return count;
    };
    CHECK(doomed() == 1);
    log.loop().run(Task<>([](Loop& loop) -> Task<> { co_await sleep_for(loop, std::chrono::milliseconds(200)); }(log.loop().loop())));
    CHECK(doomed() == 0);
}

TEST_CASE("memory of the tail is bounded: old chunks go, and appends wait their turn") {
    TemporaryDirectory directory;
    EngineOptions engine_options;
    engine_options.chunk_memory_max = 64 << 10;
    LogOptions options;
    Opened log(directory.path(), options, engine_options);
    std::vector<int64_t> offsets;
    {
        Scope scope(log.loop().loop());
        for (int i = 0; i < 100; ++i) scope.start(append_later(&log.partition(), batch_of(std::string(9000, 'x')), offsets));
        while (scope.size() > 0) log.loop().loop().turn(never);
    }
    REQUIRE(offsets.size() == 100);
    CHECK(std::is_sorted(offsets.begin(), offsets.end()));
    for (int i : {0, 50, 99}) CHECK(log.read_all(i).starts_with(std::to_string(i) + ":xxx"));
}

TEST_CASE("a batch of the controller keeps its epoch, one of a client gets the leader's") {
    TemporaryDirectory directory;
    Opened log(directory.path());
    REQUIRE(log.loop().run(log.partition().become_leader(2)));
    REQUIRE(log.append("a"));
    BatchBuilder::Options with;
    with.leader_epoch = 6;
    REQUIRE(log.append(batch_of("b", 1'700'000'000'000, with), Origin::controller));
    CHECK(log.partition().epoch_of(Offset{0}) == 2);
    CHECK(log.partition().epoch_of(Offset{1}) == 6);
    auto records = log.read(1);
    REQUIRE(records);
    CHECK(BatchView::trusted(records->pieces[0].bytes).leader_epoch() == 6);
}

TEST_CASE("where direct writes are refused the files are the same") {
    TemporaryDirectory directory;
    EngineOptions buffered;
    buffered.direct = false;
    {
        Opened log(directory.path(), {}, buffered);
        for (int i = 0; i < 20; ++i) REQUIRE(log.append("v" + std::to_string(i)));
    }
    Opened log(directory.path());
    CHECK(log.read_all(18) == "18:v18 19:v19");
    REQUIRE(log.append("v20"));
    CHECK(log.read_all(20) == "20:v20");
}

TEST_CASE("partitions live on their loops, each on its own thread") {
    TemporaryDirectory directory;
    constexpr size_t loop_count = 3;
    std::vector<std::unique_ptr<io::Epoll>> ios(loop_count);
    std::vector<std::unique_ptr<Loop>> loops(loop_count);
    std::vector<std::thread> threads;
    std::atomic<size_t> ready{0};
    for (size_t i = 1; i < loop_count; ++i) {
        threads.emplace_back([&, i] {
            ios[i] = std::make_unique<io::Epoll>();
            loops[i] = std::make_unique<Loop>(*ios[i], uint32_t(i));
            ++ready;
            loops[i]->run();
        });
    }
    while (ready < loop_count - 1) std::this_thread::yield();
    {
        OneLoop home;
        std::vector<Loop*> all{&home.loop(), loops[1].get(), loops[2].get()};
        std::map<uint32_t, int> per_loop;
        for (int round = 0; round < 2; ++round) {
            EngineOptions options;
            options.directory = directory.path();
            auto engine = home.run(Engine::open(all, options));
            REQUIRE(engine);
            CHECK((*engine)->was_clean() == (round == 1));
            for (int i = 0; i < 30; ++i) {
                auto partition = home.run((*engine)->open_partition(key_of(7, i), "events", LogOptions()));
                REQUIRE(partition);
                CHECK((*partition)->log_end_offset() == Offset{round * 3});
                auto& loop = (*engine)->loop_of(key_of(7, i));
                ++per_loop[loop.index()];
                auto batch = batch_of("a b c");
                auto appended = home.run(call_on(loop, (*partition)->append(batch, Origin::client)));
                REQUIRE(appended);
                CHECK(appended->base_offset == Offset{round * 3});
            }
            CHECK(home.run((*engine)->checkpoint()));
            CHECK(home.run((*engine)->close(round)));
        }
        CHECK(per_loop.size() == loop_count);
    }
    for (size_t i = 1; i < loop_count; ++i) loops[i]->stop();
    for (auto& thread : threads) thread.join();
}
