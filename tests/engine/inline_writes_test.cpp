#include "engine/bench_of_logs.hpp"

#include "engine/inline_writes.hpp"
#include "io/uring.hpp"

using namespace rafka;
using namespace rafka::tests;

TEST_CASE("appends need no worker thread of the kernel, where kernel and file system allow it") {
    int error = 0;
    auto ring = io::Uring::open(error);
    if (!ring) {
        MESSAGE("skipped: no ring here, errno " << error);
        return;
    }
    TemporaryDirectory directory;
    Loop loop(*ring, 0);
    Loop* loops[] = {&loop};
    EngineOptions options;
    options.directory = directory.path();
    options.allocation_step_min = 1 << 20;
    auto engine = block_on(loop, Engine::open(loops, options));
    REQUIRE(engine);
    auto partition = block_on(loop, (*engine)->open_partition(key_of(1), "events", LogOptions()));
    REQUIRE(partition);
    bool possible = block_on(loop, (*engine)->probe_inline_writes());
    constexpr int append_count = 200;
    auto batch = batch_of("value");
    auto append = [&] { return block_on(loop, (*partition)->append(batch, Origin::client)); };
    REQUIRE(append());  // Makes room for the others.
    auto before = block_on(loop, engine::ring_worker_sleeps(*ring));
    auto idle = block_on(loop, engine::ring_worker_sleeps(*ring)) - before;
    before += idle;
    for (int i = 0; i < append_count; ++i) REQUIRE(append());
    auto sleeps = block_on(loop, engine::ring_worker_sleeps(*ring)) - before;
    if (possible) CHECK(sleeps < idle + append_count / 2);
    else MESSAGE("skipped: this kernel or file system gives durable direct writes to a worker thread, " << sleeps << " times here");
    CHECK(block_on(loop, (*engine)->close(-1)));
}
