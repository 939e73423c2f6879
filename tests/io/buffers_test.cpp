#include "every_io.hpp"

#include "io/buffers.hpp"

#include <deque>
#include <vector>

using namespace rafka;
using namespace rafka::io;
using namespace std::chrono_literals;

namespace {

Task<> use(Budget& budget, size_t bytes, int number, std::vector<int>& begun, std::deque<Budget::Share>& held) {
    auto share = co_await budget.take(bytes);
    CHECK(share.bytes() == std::min(bytes, budget.bytes_max()));
    begun.push_back(number);
    held.push_back(std::move(share));
}

Task<> borrow(Loop& loop, BufferPool& pool, size_t& most, size_t& served) {
    auto buffer = co_await pool.take();
    CHECK(buffer.size() == pool.buffer_size());
    CHECK(reinterpret_cast<uintptr_t>(buffer.data()) % buffer_alignment == 0);
    most = std::max(most, pool.count_taken());
    co_await sleep_for(loop, 100us);
    ++served;
    pool.give_back(std::move(buffer));
}

}  // namespace

TEST_CASE("a budget serves in the order of asking: the small wait behind the large") {
    test::on_every_io([](Loop& loop) {
        Budget budget(loop, 100);
        std::vector<int> begun;
        std::deque<Budget::Share> held;
        Scope scope(loop);
        scope.start(use(budget, 60, 0, begun, held));
        scope.start(use(budget, 80, 1, begun, held));
        scope.start(use(budget, 10, 2, begun, held));
        loop.turn(Instant{});
        CHECK(begun == std::vector<int>{0});
        CHECK(budget.has_waiting());
        CHECK(budget.try_take(1).bytes() == 0);  // Nobody overtakes.
        held.pop_front();
        loop.turn(Instant{});
        CHECK(begun == std::vector<int>{0, 1, 2});
        CHECK(budget.bytes_used() == 90);
        // More than there will ever be runs alone.
        scope.start(use(budget, 1000, 3, begun, held));
        loop.turn(Instant{});
        CHECK(begun.size() == 3);
        held.clear();
        loop.turn(Instant{});
        CHECK(begun.back() == 3);
        CHECK(budget.bytes_used() == 100);
        held.clear();
        CHECK(budget.bytes_used() == 0);
        CHECK(budget.try_take(7).bytes() == 7);
        CHECK(scope.size() == 0);
    });
}

TEST_CASE("a pool never gives out more buffers than it may, and everybody gets one in the end") {
    test::on_every_io([](Loop& loop) {
        BufferPool pool(loop, 8192, 3);
        size_t most = 0, served = 0;
        Scope scope(loop);
        for (int i = 0; i < 50; ++i) scope.start(borrow(loop, pool, most, served));
        block_on(loop, scope.drained());
        CHECK(most == 3);
        CHECK(served == 50);
        CHECK(pool.count_taken() == 0);
        std::vector<Buffer> all;
        for (auto buffer = pool.try_take(); buffer; buffer = pool.try_take()) all.push_back(std::move(buffer));
        CHECK(all.size() == 3);
        for (auto& buffer : all) pool.give_back(std::move(buffer));
    });
}
