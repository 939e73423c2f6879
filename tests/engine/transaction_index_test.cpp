#include "engine/transaction_index.hpp"

#include "engine/bench_of_logs.hpp"
#include "engine/golden.hpp"
#include "engine/producer_batches.hpp"

using namespace rafka;
using namespace rafka::engine;
using namespace rafka::tests;
namespace fs = std::filesystem;

namespace {

EndedTransaction aborted(int64_t producer, int64_t first, int64_t last, int64_t stable) {
    EndedTransaction ended;
    ended.producer_id = producer;
    ended.first_offset = Offset{first};
    ended.last_offset = Offset{last};
    ended.last_stable_offset = Offset{stable};
    ended.aborted = true;
    return ended;
}

// "1@0 2@4": producers, and where their transactions begin.
std::string show(const std::vector<AbortedTransaction>& transactions) {
    std::string text;
    for (auto& transaction : transactions) {
        text += (text.empty() ? "" : " ") + std::to_string(transaction.producer_id) + "@" + std::to_string(transaction.first_offset.value);
    }
    return text;
}

std::string collected(const TransactionIndex& index, int64_t from, int64_t to) {
    std::vector<AbortedTransaction> out;
    bool complete = index.collect(Offset{from}, Offset{to}, out);
    return show(out) + (complete ? " complete" : "");
}

// What a reader of committed records is told of its first fetch from there.
std::string aborted_from(Opened& log, int64_t from, uint32_t bytes_max = 1 << 20) {
    auto records = log.loop().run(log.partition().read(Offset{from}, bytes_max, true, Isolation::read_committed));
    REQUIRE(records);
    return show(records->aborted);
}

// Transactions of two producers, one segment every few batches:
// 0 begins for 1, 1 for 2; 2 aborts 1; 3 begins for 1, 4 commits it; 5 is plain; 6 aborts 2; 7 begins for 1 and stays open.
void write_transactions(Opened& log) {
    auto send = [&](int64_t id, int32_t sequence) {
        Send one;
        one.id = id;
        one.sequence = sequence;
        one.transactional = true;
        REQUIRE(log.append(data(one)));
    };
    auto end = [&](int64_t id, bool commit) { REQUIRE(log.append(marker(id, 0, commit, 1), Origin::coordinator)); };
    send(1, 0);
    send(2, 0);
    end(1, false);
    send(1, 1);
    end(1, true);
    REQUIRE(log.append("plain"));
    end(2, false);
    send(1, 2);
}

void check_transactions(Opened& log) {
    CHECK(log.partition().last_stable_offset() == Offset{7});
    CHECK(aborted_from(log, 0) == "1@0 2@1");
    CHECK(aborted_from(log, 1) == "1@0 2@1");
    CHECK(aborted_from(log, 3) == "2@1");
    CHECK(aborted_from(log, 6) == "2@1");
    CHECK(aborted_from(log, 0, 1) == "1@0");  // Only the first batch came.
    CHECK(log.read(0)->aborted.empty());      // Nobody asked.
}

LogOptions small_segments() {
    LogOptions options;
    options.segment_bytes = 200;
    return options;
}

}  // namespace

TEST_CASE("transactions that reach into a range are found") {
    TransactionIndex index(Offset{0});
    CHECK(collected(index, 0, 100) == "");
    index.append(aborted(1, 10, 15, 12));
    index.append(aborted(2, 12, 20, 21));
    index.append(aborted(1, 30, 35, 36));
    CHECK(collected(index, 0, 100) == "1@10 2@12 1@30");
    CHECK(collected(index, 0, 11) == "1@10 complete");
    CHECK(collected(index, 0, 10) == " complete");
    CHECK(collected(index, 15, 16) == "1@10 2@12 complete");
    CHECK(collected(index, 16, 31) == "2@12 1@30 complete");
    CHECK(collected(index, 21, 30) == " complete");
    CHECK(collected(index, 36, 40) == "");
    index.truncate(Offset{20});
    CHECK(collected(index, 0, 100) == "1@10");
}

TEST_CASE("a transaction index is Kafka's, byte for byte, in both directions") {
    auto kafkas = golden::bytes("transactions.txt", "index");
    TransactionIndex index(Offset{100});
    REQUIRE(index.load(kafkas));
    CHECK(index.is_saved());
    CHECK(collected(index, 0, 100) == "4711@90 5@99 complete");
    CHECK(index.entries()[1].last_offset == Offset{9'000'000'000});
    std::vector<std::byte> ours;
    index.encode(0, ours);
    CHECK(ours == kafkas);
    index.truncate(Offset{106});
    CHECK_FALSE(index.is_saved());
    index.set_written(1);
    CHECK(index.is_saved());
    index.append(aborted(7, 110, 120, 121));
    CHECK_FALSE(index.is_saved());
}

TEST_CASE("a damaged transaction index is refused") {
    auto bytes = golden::bytes("transactions.txt", "index");
    auto refused = [](std::vector<std::byte> file, int64_t base) {
        TransactionIndex index(Offset{base});
        auto loaded = index.load(file);
        return !loaded && loaded.error() == Errc::malformed && index.count() == 0 && !index.is_saved();
    };
    CHECK_FALSE(refused(bytes, 105));
    CHECK(refused(bytes, 106));
    auto cut = bytes;
    cut.pop_back();
    CHECK(refused(cut, 100));
    auto newer = bytes;
    newer[1] = std::byte{1};
    CHECK(refused(newer, 100));
    auto backwards = bytes;
    std::rotate(backwards.begin(), backwards.begin() + TransactionIndex::entry_size, backwards.end());
    CHECK(refused(backwards, 99));
}

TEST_CASE("who reads committed records is told of aborted transactions, also after a restart") {
    for (auto options : {LogOptions(), small_segments()}) {
        TemporaryDirectory directory;
        {
            Opened log(directory.path(), options);
            write_transactions(log);
            check_transactions(log);
        }
        Opened log(directory.path(), options);
        CHECK(log.engine().was_clean());
        check_transactions(log);
    }
}

TEST_CASE("after a kill aborted transactions are found in the log") {
    for (auto options : {LogOptions(), small_segments()}) {
        for (bool checkpointed : {false, true}) {
            TemporaryDirectory running, killed;
            Opened log(running.path(), options);
            write_transactions(log);
            if (checkpointed) REQUIRE(log.loop().run(log.engine().checkpoint()));
            fs::remove_all(killed.path());
            fs::copy(running.path(), killed.path(), fs::copy_options::recursive);
            // What the files say beyond the recovery point need not be so.
            if (!checkpointed) {
                for (auto& entry : fs::directory_iterator(killed.path() + "/events-0")) {
                    if (entry.path().extension() == ".txnindex") fs::remove(entry.path());
                }
            }
            Opened again(killed.path(), options);
            CHECK_FALSE(again.engine().was_clean());
            check_transactions(again);
            REQUIRE(again.append(marker(1, 0, false, 1), Origin::coordinator));
            CHECK(aborted_from(again, 7) == "1@7");
        }
    }
}

TEST_CASE("a damaged transaction index is made again, one without a segment goes") {
    TemporaryDirectory directory;
    {
        Opened log(directory.path(), small_segments());
        write_transactions(log);
    }
    std::vector<fs::path> files;
    for (auto& entry : fs::directory_iterator(directory.path() + "/events-0")) {
        if (entry.path().extension() == ".txnindex") files.push_back(entry.path());
    }
    REQUIRE(files.size() >= 2);
    for (auto& file : files) {
        auto whole = text_of(file.string());
        fs::resize_file(file, whole.size() - 1);
        auto stray = file.parent_path() / "00000000000000000008.txnindex";
        std::ofstream(stray, std::ios::binary) << whole;
        {
            Opened log(directory.path(), small_segments());
            CHECK(log.engine().was_clean());
            check_transactions(log);
        }
        CHECK(text_of(file.string()) == whole);
        CHECK_FALSE(fs::exists(stray));
    }
}
