#include "engine/checkpoint_file.hpp"
#include "engine/golden.hpp"

#include <doctest/doctest.h>

using namespace rafka;
using namespace rafka::engine;

TEST_CASE("an offset checkpoint is Kafka's in both directions") {
    auto kafkas = golden::file("recovery-point-offset-checkpoint");
    auto offsets = offsets_of(kafkas).value();
    CHECK(offsets == std::vector<PartitionOffset>{{"a-topic.of_mine", 12, {9000000000}}, {"b", 0, {0}}});
    CHECK(offsets_text(offsets) == kafkas);
    CHECK(offsets_of("0\r\n1\r\na 1 -2").value() == std::vector<PartitionOffset>{{"a", 1, {-2}}});
}

TEST_CASE("an empty checkpoint has no entries, a damaged one is refused") {
    for (auto text : {"", "0", "0\n", "0\n0", "0\n0\n"}) CHECK(offsets_of(text)->empty());
    for (auto text : {"\n", "1\n0\n", "zero\n0\n", "0\nmany\n", "0\n1\n", "0\n2\na 0 1\n", "0\n1\na 0 1\nb 0 1\n", "0\n1\na 0\n",
                      "0\n1\na 0 1 2\n", "0\n1\na x 1\n", "0\n1\na 0 1x\n", "0\n1\na 0 99999999999999999999\n", "0\n0\n\n", "0\n-1\n",
                      "0\n2000000000\n"}) {
        CAPTURE(text);
        CHECK(offsets_of(text).error() == Errc::malformed);
    }
    CHECK(offsets_of(std::string(100, '\0')).error() == Errc::malformed);
}

TEST_CASE("partition.metadata is Kafka's in both directions") {
    auto kafkas = golden::file("partition.metadata");
    auto id = topic_id_of(kafkas).value();
    CHECK(to_text(id) == "4L6g3nShT-eMCtK--X86sw");
    CHECK(partition_metadata_text(id) == kafkas);
    CHECK(topic_id_of("version: 1\ntopic_id: 4L6g3nShT-eMCtK--X86sw\nmore: x\n").value() == id);
    for (auto text : {"", "version: 0", "version: 0\n", "version: 0\ntopic_id:", "version: -1\ntopic_id: 4L6g3nShT-eMCtK--X86sw",
                      "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA", "version: 0\ntopic_id: short", "0\n4L6g3nShT-eMCtK--X86sw"}) {
        CAPTURE(text);
        CHECK(topic_id_of(text).error() == Errc::malformed);
    }
}

TEST_CASE("the clean-shutdown marker carries the broker's epoch, or nothing") {
    CHECK(clean_shutdown_text(42) == "{\"version\":0,\"brokerEpoch\":42}");
    CHECK(broker_epoch_of(clean_shutdown_text(42)) == 42);
    CHECK(broker_epoch_of(clean_shutdown_text(-1)) == -1);
    CHECK(broker_epoch_of("{ \"brokerEpoch\" : 7 , \"version\" : 0 }") == 7);
    for (auto text : {"", "{}", "{\"brokerEpoch\"", "{\"brokerEpoch\":", "{\"brokerEpoch\":7", "{\"brokerEpoch\":x}", "{\"brokerEpoch\":7-1}"}) {
        CHECK(broker_epoch_of(text) == -1);
    }
}
