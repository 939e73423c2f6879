#include "engine/bench_of_logs.hpp"

using namespace rafka;
using namespace rafka::tests;

TEST_CASE("what was appended is read back, from memory and after a restart") {
    TemporaryDirectory directory;
    {
        Opened log(directory.path());
        auto first = log.append("a b c");
        REQUIRE(first);
        CHECK(first->base_offset == Offset{0});
        auto second = log.append("d");
        REQUIRE(second);
        CHECK(second->base_offset == Offset{3});
        CHECK(log.partition().high_watermark() == Offset{4});
        CHECK(log.read_all() == "0:a 1:b 2:c 3:d");
        CHECK(log.read_all(3) == "3:d");
        CHECK(log.read_all(4) == "");
        CHECK(log.read(5).error() == Errc::offset_out_of_range);
    }
    Opened log(directory.path());
    CHECK(log.engine().was_clean());
    CHECK(log.partition().log_end_offset() == Offset{4});
    CHECK(log.read_all() == "0:a 1:b 2:c 3:d");
    CHECK(log.append("e"));
    CHECK(log.read_all(2) == "0:a 1:b 2:c 3:d 4:e");
}
