#include "base/copy.hpp"
#include "cost/heap_counter.hpp"
#include "cost/rig.hpp"

#include <doctest/doctest.h>

using namespace rafka;
using namespace rafka::cost;

namespace {

// Counts what the broker allocates, not what the machine behind it and the client do.
struct Counting final : Observer {
    void broker_runs() override { count_allocations(true); }
    void machine_runs() override { count_allocations(false); }
};

uint64_t allocations_of(Rig& rig, Bytes frame, int at_once, int count) {
    Counting counting;
    rig.seam().observer = &counting;
    auto before = allocations();
    for (int i = 0; i < count; ++i) rig.call_at_once(frame, at_once);
    rig.seam().observer = nullptr;
    return allocations() - before;
}

}  // namespace

TEST_CASE("a produce request allocates nothing after warm-up") {
    if (!counts_allocations) {
        MESSAGE("skipped: this build has an allocator of its own");
        return;
    }
    struct Case {
        int32_t partitions;
        size_t value_size;
        int at_once;
    };
    for (auto [partitions, value_size, at_once] : {Case{1, 1000, 1}, Case{1, 1000, 20}, Case{64, 1000, 1}, Case{1, 64 << 10, 5}}) {
        INFO("partitions ", partitions, ", bytes ", value_size, ", in flight ", at_once);
        Rig rig;
        rig.create_topic("cost", partitions);
        auto frame = rig.produce_frame("cost", partitions, value_size);
        // Ends where the vectors of the log's index, which grow with the log and not with requests, have just doubled.
        int warm_up = value_size > 4096 ? 1030 / at_once : 4200 / at_once;
        int count = 1000 / at_once;
        for (int i = 0; i < warm_up; ++i) rig.call_at_once(frame, at_once);
        CHECK(allocations_of(rig, frame, at_once, count) == 0);
        Rig::check_produced(rig.call(frame), partitions);
    }
}

TEST_CASE("the records of a produce request are copied once") {
    struct Case {
        size_t value_size;
        int at_once;
    };
    for (auto [value_size, at_once] : {Case{64 << 10, 1}, Case{64 << 10, 20}, Case{1000, 20}, Case{1'000'000, 4}}) {
        INFO("bytes ", value_size, ", in flight ", at_once);
        Rig rig;
        rig.create_topic("cost", 1);
        auto frame = rig.produce_frame("cost", 1, value_size);
        for (int i = 0; i < 10; ++i) rig.call_at_once(frame, at_once);
        auto copied = record_bytes_copied;
        auto writes = rig.seam().writes;
        constexpr int count = 20;
        for (int i = 0; i < count; ++i) rig.call_at_once(frame, at_once);
        copied = record_bytes_copied - copied;
        writes = rig.seam().writes - writes;
        auto produced = uint64_t(count * at_once) * frame.size();
        CHECK(copied >= uint64_t(count * at_once) * value_size);
        // Besides, the last block of a write, which must not change while it is written, and what a chunk begins with.
        auto chunks = value_size > 4096 ? uint64_t(count * at_once) : 1 + produced / (128 << 10);
        CHECK(copied <= produced + (writes + chunks) * 4096);
    }
}
