// Reads from files: what they bring, and the memory they take.

#include "engine/cold_memory.hpp"
#include "bench_of_logs.hpp"

using namespace rafka;
using namespace rafka::tests;
using rafka::engine::ColdMemory;

namespace {

constexpr size_t window = 64 << 10;
constexpr int64_t batches = 40;

std::vector<std::byte> large_batch() { return batch_of(std::string(20'000, 'v')); }

EngineOptions with_room_for(size_t bytes) {
    EngineOptions options;
    options.cold_memory_max = bytes;
    return options;
}

// A log whose batches are only in its file.
void fill(const std::string& directory) {
    Opened log(directory);
    for (int64_t i = 0; i < batches; ++i) REQUIRE(log.append(large_batch()));
}

Task<> read_some(Partition& partition, int64_t from, std::optional<Result<Records>>& to) {
    to.emplace(co_await partition.read(Offset{from}, 40 << 10, true, Isolation::read_uncommitted));
}

Task<> drop(Result<Records>& records) {
    *records = Records{};
    co_return;
}

}  // namespace

TEST_CASE("a cold read says whether more would have been there") {
    TemporaryDirectory directory;
    fill(directory.path());
    auto size = large_batch().size();
    Opened log(directory.path());
    CHECK(log.read(0, uint32_t(size))->more);
    CHECK(log.read(0, 1 << 20)->size == batches * size);
    CHECK_FALSE(log.read(0, 1 << 20)->more);
    CHECK(log.read(batches - 1)->size == size);
    CHECK_FALSE(log.read(batches - 1)->more);
    CHECK(log.read(0, 10, false)->size == 0);
    CHECK(log.read(0, 10, false)->more);
    // From the tail as well.
    for (int i = 0; i < 2; ++i) REQUIRE(log.append(large_batch()));
    CHECK(log.read(batches, uint32_t(size))->more);
    CHECK(log.read(batches, uint32_t(2 * size))->size == 2 * size);
    CHECK_FALSE(log.read(batches, uint32_t(2 * size))->more);
}

TEST_CASE("where cold memory is held, a read brings one batch, and one that need not bring any brings none") {
    TemporaryDirectory directory;
    fill(directory.path());
    auto size = large_batch().size();
    Opened log(directory.path(), {}, with_room_for(window));
    auto held = log.read(0, 40 << 10);
    REQUIRE(held);
    CHECK(held->size == 2 * size);
    auto none = log.read(2, 40 << 10, false);
    CHECK(none->size == 0);
    CHECK(none->more);
    auto one = log.read(2, 40 << 10);
    CHECK(one->size == size);
    CHECK(show(*one).starts_with("2:v"));
    *held = Records{};
    *one = Records{};
    CHECK(log.read(2, 40 << 10)->size == 2 * size);
}

TEST_CASE("a cold read that waits for memory goes on when it comes back") {
    TemporaryDirectory directory;
    fill(directory.path());
    auto size = large_batch().size();
    Opened log(directory.path(), {}, with_room_for(window));
    auto held = log.read(0, 40 << 10);
    auto& loop = log.loop().loop();
    std::optional<Result<Records>> read;
    Scope scope(loop);
    scope.start(read_some(log.partition(), 2, read));
    for (int i = 0; i < 10; ++i) loop.turn(Instant{});
    CHECK_FALSE(read);
    scope.start(drop(held));
    while (scope.size() > 0) loop.turn(never);
    REQUIRE(*read);
    CHECK((*read)->size == 2 * size);
}

TEST_CASE("buffers of cold reads are used again, and outlive their pool") {
    OneLoop loop;
    auto memory = std::make_unique<ColdMemory>(loop.loop(), 1 << 20);
    auto* first = memory->try_take(50'000);
    CHECK(first->capacity() == 64 << 10);
    CHECK(memory->bytes() == 64 << 10);
    first->drop();
    CHECK(memory->bytes() == 0);
    auto* again = memory->try_take(60'000);
    CHECK(again == first);
    CHECK_FALSE(memory->try_take(1 << 20));
    auto* small = memory->try_take(1);
    CHECK(small->capacity() == 16 << 10);
    again->drop();
    small->drop();
    auto* larger_than_all = memory->try_take(3 << 20);
    REQUIRE(larger_than_all);
    CHECK_FALSE(memory->try_take(1));
    auto* beyond = memory->take_anyway(1);
    memory.reset();
    beyond->drop();
    larger_than_all->drop();
}
