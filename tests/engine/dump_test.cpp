#include "engine/bench_of_logs.hpp"
#include "engine/dump.hpp"
#include "engine/golden.hpp"
#include "engine/producers.hpp"

using namespace rafka;
using namespace rafka::tests;

namespace {

using File = std::vector<std::byte>;

void write(const std::string& path, Bytes bytes) {
    std::ofstream out(path, std::ios::binary);
    out << as_text(bytes);
}

// The lines, and "whole", "broken" or the error at the end.
std::string dump(const std::string& path, bool contents = false) {
    OneLoop loop;
    std::string out;
    engine::DumpOptions options;
    options.records = options.contents = contents;
    auto print = [&](std::string_view line) { (out += line) += '\n'; };
    auto done = loop.run(engine::dump(loop.loop().io(), path, options, print));
    return out + (!done ? std::string(to_text(done.error())) : *done ? "whole" : "broken");
}

void append_golden(File& file, std::string_view name, int64_t at) {
    auto batch = golden::bytes("batches.txt", name);
    set_base_offset(batch, {at});
    file.insert(file.end(), batch.begin(), batch.end());
}

}  // namespace

TEST_CASE("a segment is shown in the words of Kafka's DumpLogSegments") {
    TemporaryDirectory directory;
    File file;
    append_golden(file, "mixed-lz4", 0);
    append_golden(file, "idempotent", 5);
    append_golden(file, "transactional", 9);
    append_golden(file, "abort", 10);
    append_golden(file, "empty", 11);
    auto path = directory.path() + "/00000000000000000000.log";
    write(path, file);
    auto shown = dump(path, true);
    auto expected = golden::file("dump.txt");
    CHECK(shown == "Dumping " + path + "\n" + expected + "whole");

    // Without the records: the batches alone.
    auto batches = dump(path);
    CHECK(batches.find("| offset") == std::string::npos);
    CHECK(std::count(batches.begin(), batches.end(), '\n') == 7);
}

TEST_CASE("what is wrong with a segment is told") {
    TemporaryDirectory directory;
    auto path = directory.path() + "/00000000000000000000.log";
    File file;
    append_golden(file, "mixed-none", 0);
    auto whole = file;
    file.back() ^= std::byte{1};
    write(path, file);
    CHECK(dump(path).ends_with("isvalid: false\nbroken"));
    file = whole;
    append_golden(file, "mixed-none", 4);
    write(path, file);
    CHECK(dump(path).ends_with("Offset 4 is followed by 4\nbroken"));
    file = whole;
    file.resize(file.size() + 5000);
    write(path, file);
    CHECK(dump(path).ends_with("5000 bytes at the end of 00000000000000000000.log are allocated and not yet written\nwhole"));
    file.back() = std::byte{1};
    file[whole.size() + 8] = std::byte{9};
    write(path, file);
    CHECK(dump(path).ends_with("Found 5000 invalid bytes at the end of 00000000000000000000.log\nbroken"));
    CHECK(dump(directory.path() + "/x.log") == to_text(Errc::not_found));
    write(directory.path() + "/x.txt", {});
    CHECK(dump(directory.path() + "/x.txt") == to_text(Errc::unsupported));
}

TEST_CASE("everything the engine leaves in a directory is whole, and indexes are held against their log") {
    TemporaryDirectory directory;
    std::string partition;
    {
        LogOptions options;
        options.segment_bytes = 20'000;
        options.index_interval_bytes = 500;
        Opened log(directory.path(), options);
        for (int i = 0; i < 100; ++i) {
            BatchBuilder::Options of;
            of.producer_id = 5;
            of.producer_epoch = 0;
            of.base_sequence = i;
            REQUIRE(log.append(batch_of(std::string(600, 'v'), 1'700'000'000'000 + i, of)));
        }
        partition = directory.path() + "/events-0";
    }
    auto shown = dump(partition, true);
    CAPTURE(shown);
    CHECK(shown.ends_with("\nwhole"));
    for (auto text : {"Dumping " , "/00000000000000000000.index\noffset: ", ".timeindex\ntimestamp: 17", "producerId: 5 producerEpoch: 0 ",
                      "/leader-epoch-checkpoint\n0\n", "/partition.metadata\nversion: 0\n"}) {
        CAPTURE(text);
        CHECK(shown.find(text) != std::string::npos);
    }
    CHECK(dump(directory.path() + "/recovery-point-offset-checkpoint").ends_with("\nevents 0 100\nwhole"));

    auto index = partition + "/00000000000000000000.index";
    auto bytes = text_of(index);
    bytes[7] = char(bytes[7] + 1);
    write(index, as_bytes(bytes));
    CHECK(dump(index).find("No batch ends at offset") != std::string::npos);
    auto time_index = partition + "/00000000000000000000.timeindex";
    bytes = text_of(time_index);
    bytes[7] = char(bytes[7] - 1);
    write(time_index, as_bytes(bytes));
    CHECK(dump(time_index).ends_with("broken") == true);
    write(time_index, as_bytes(bytes.substr(1)));
    CHECK(dump(time_index).ends_with("does not increase, or is cut\nbroken"));
}

TEST_CASE("producer snapshots and aborted transactions are shown") {
    TemporaryDirectory directory;
    auto path = directory.path() + "/00000000000000000050.snapshot";
    auto bytes = golden::bytes("snapshot.txt", "snapshot");
    write(path, bytes);
    CHECK(dump(path) ==
          "Dumping " + path + "\n" +
              "producerId: 5 producerEpoch: 2 coordinatorEpoch: 11 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: 1700000000123\n"
              "producerId: 4711 producerEpoch: 3 coordinatorEpoch: -1 currentTxnFirstOffset: OptionalLong[40] lastTimestamp: 1700000000456 "
              "firstSequence: 9 lastSequence: 9 lastOffset: 49 offsetDelta: 0 timestamp: 1700000000456\nwhole");
    bytes.back() ^= std::byte{1};
    write(path, bytes);
    CHECK(dump(path).ends_with("\nThe snapshot is corrupt\nbroken"));
    path = directory.path() + "/00000000000000000050.txnindex";
    File entry(35);
    entry[9] = std::byte{7};
    entry[33] = std::byte{8};
    write(path, entry);
    CHECK(dump(path).ends_with("\nversion: 0 producerId: 7 firstOffset: 0 lastOffset: 0 lastStableOffset: 8\n1 bytes at the end are no entry\nbroken"));
}
