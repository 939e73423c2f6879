#include "engine/epochs.hpp"
#include "engine/golden.hpp"

#include <doctest/doctest.h>

using namespace rafka;
using namespace rafka::engine;

namespace {

std::string show(const Epochs& epochs) {
    std::string out;
    for (auto& entry : epochs.entries()) out += (out.empty() ? "" : " ") + std::to_string(entry.epoch) + "@" + std::to_string(entry.start.value);
    return out;
}

Epochs three() {
    Epochs epochs;
    CHECK(epochs.assign(2, {10}));
    CHECK(epochs.assign(4, {20}));
    CHECK(epochs.assign(7, {30}));
    return epochs;
}

std::string ends(const Epochs& epochs, LeaderEpoch asked) {
    auto end = epochs.end_of(asked, {99});
    return std::to_string(end.epoch) + "," + std::to_string(end.end_offset.value);
}

}  // namespace

TEST_CASE("an epoch is entered once, and what contradicts it goes") {
    auto epochs = three();
    CHECK(show(epochs) == "2@10 4@20 7@30");
    CHECK(epochs.latest() == 7);
    CHECK_FALSE(epochs.assign(7, {30}));
    CHECK_FALSE(epochs.assign(7, {35}));
    CHECK(show(epochs) == "2@10 4@20 7@30");
    CHECK(epochs.assign(7, {25}));
    CHECK(show(epochs) == "2@10 4@20 7@25");
    CHECK(epochs.assign(8, {20}));
    CHECK(show(epochs) == "2@10 8@20");
    CHECK(epochs.assign(3, {40}));
    CHECK(show(epochs) == "2@10 3@40");
    CHECK(epochs.assign(0, {0}));
    CHECK(show(epochs) == "0@0");
}

TEST_CASE("where an epoch ends, as Kafka answers it") {
    auto epochs = three();
    CHECK(ends(epochs, -1) == "-1,-1");
    CHECK(ends(epochs, 0) == "0,10");   // Older than all: itself, and the start of the first.
    CHECK(ends(epochs, 2) == "2,20");
    CHECK(ends(epochs, 3) == "2,20");
    CHECK(ends(epochs, 4) == "4,30");
    CHECK(ends(epochs, 6) == "4,30");
    CHECK(ends(epochs, 7) == "7,99");
    CHECK(ends(epochs, 8) == "-1,-1");
    CHECK(ends(Epochs(), 0) == "-1,-1");
}

TEST_CASE("the epoch of an offset") {
    auto epochs = three();
    for (auto [offset, epoch] : {std::pair(0, -1), {9, -1}, {10, 2}, {19, 2}, {20, 4}, {29, 4}, {30, 7}, {1000, 7}}) {
        CHECK(epochs.epoch_of({offset}) == epoch);
    }
    CHECK(Epochs().epoch_of({5}) == -1);
}

TEST_CASE("truncation from both ends") {
    auto epochs = three();
    CHECK_FALSE(epochs.truncate_from_end({31}));
    CHECK(epochs.truncate_from_end({30}));
    CHECK(show(epochs) == "2@10 4@20");
    CHECK(epochs.truncate_from_end({0}));
    CHECK(epochs.empty());

    epochs = three();
    CHECK_FALSE(epochs.truncate_from_start({5}));
    CHECK_FALSE(epochs.truncate_from_start({10}));
    CHECK(epochs.truncate_from_start({15}));
    CHECK(show(epochs) == "2@15 4@20 7@30");
    CHECK(epochs.truncate_from_start({20}));
    CHECK(show(epochs) == "4@20 7@30");
    CHECK(epochs.truncate_from_start({500}));
    CHECK(show(epochs) == "7@500");
    CHECK(epochs.clear());
    CHECK_FALSE(epochs.clear());
    CHECK_FALSE(epochs.truncate_from_start({500}));
}

TEST_CASE("the file is Kafka's in both directions, and what is wrong is refused") {
    auto kafkas = golden::file("leader-epoch-checkpoint");
    auto epochs = Epochs::of_text(kafkas).value();
    CHECK(show(epochs) == "0@0 3@17 4@9000000000");
    CHECK(epochs.to_text() == kafkas);
    CHECK(Epochs().to_text() == "0\n0\n");
    for (auto text : {"", "0", "0\n", "0\n0\n"}) CHECK(Epochs::of_text(text)->empty());
    for (auto text : {"x", "1\n0\n", "0\n1\n", "0\n1\n1\n", "0\n1\n1 2 3\n", "0\n1\n-1 2\n", "0\n1\n1 -2\n", "0\n1\n1 x\n",
                      "0\n1\n1 2\n3 4\n", "0\n-1\n", "0\n1\n99999999999 1\n"}) {
        CAPTURE(text);
        CHECK(Epochs::of_text(text).error() == Errc::malformed);
    }
}
