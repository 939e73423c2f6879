// What compilers have done to coroutines, and what the house rules rely on. Each case is a trap that was met.

#include "every_io.hpp"

#include <memory>
#include <string>
#include <vector>

using namespace rafka;

namespace {

// Counts constructions against destructions, of the same address.
struct Counted {
    static inline int alive = 0;
    Counted() { ++alive; }
    Counted(const Counted&) { ++alive; }
    Counted(Counted&&) noexcept { ++alive; }
    Counted& operator=(const Counted&) = default;
    ~Counted() { --alive; }
};

Task<int> one() { co_return 1; }

Task<uint64_t> many_synchronous(uint64_t count) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; ++i) {
        int value = co_await one();
        sum += uint64_t(value);
    }
    co_return sum;
}

// The other direction: a chain of callers that all end at once.
Task<uint64_t> deep(uint64_t depth) {
    if (depth == 0) co_return 0;
    uint64_t below = co_await deep(depth - 1);
    co_return below + 1;
}

// House rule: an options struct has a constructor.
struct Options {
    explicit Options(std::string name) : name(std::move(name)) {}
    std::string name;
    Counted counted;
};
Task<size_t> with_options(Options options) { co_return options.name.size(); }

// House rule: an awaiter has a constructor.
class CountedAwaiter {
public:
    CountedAwaiter(Loop& loop, std::string text) : loop_(loop), text_(std::move(text)) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) { loop_.schedule(waiter); }
    size_t await_resume() const { return text_.size(); }

private:
    Loop& loop_;
    std::string text_;
    Counted counted_;
};

struct Two {
    Counted first;
    std::string second;
};
Task<Two> make_two() {
    Two two;
    two.second = std::string(100, 'x');
    co_return two;
}

Task<Result<std::string>> named_or_failed(bool fails) {
    if (fails) co_return fail(Errc::not_found);
    co_return std::string(100, 'y');
}
Task<Result<size_t>> passes_failures_on(bool fails) {
    CO_TRY(auto text, co_await named_or_failed(fails));
    Counted counted;
    CO_TRY(auto again, co_await named_or_failed(false));
    co_return text.size() + again.size();
}

Task<> house_rules(Loop& loop) {
    std::string long_text(100, 'z');
    auto size = co_await with_options(Options(long_text));
    CHECK(size == 100);
    CHECK(Counted::alive == 0);
    size = co_await CountedAwaiter(loop, long_text);
    CHECK(size == 100);
    CHECK(Counted::alive == 0);
    {
        auto two = co_await make_two();
        auto& [first, second] = two;  // A named variable first, then its parts.
        (void)first;
        CHECK(second.size() == 100);
        CHECK(Counted::alive == 1);
    }
    CHECK(Counted::alive == 0);
    auto passed = co_await passes_failures_on(false);
    CHECK(passed.value() == 200);
    passed = co_await passes_failures_on(true);
    CHECK(passed.error() == Errc::not_found);
    CHECK(Counted::alive == 0);
    // A conditional and a loop around awaits of temporaries.
    for (int i = 0; i < 3; ++i) {
        size = i % 2 ? co_await with_options(Options(long_text)) : co_await CountedAwaiter(loop, long_text);
        CHECK(size == 100);
    }
    CHECK(Counted::alive == 0);
}

Task<> holds(Loop& loop, std::unique_ptr<Counted> counted) {
    co_await Yield(loop);
    CHECK(counted);
}

}  // namespace

TEST_CASE("a million synchronous awaits do not grow the stack") {
    test::on_every_io([](Loop& loop) { CHECK(block_on(loop, many_synchronous(1'000'000)) == 1'000'000); });
}

TEST_CASE("a deep chain of awaits unwinds without growing the stack") {
    test::on_every_io([](Loop& loop) { CHECK(block_on(loop, deep(100'000)) == 100'000); });
}

TEST_CASE("under the house rules every object on an await is destroyed once") {
    test::on_every_io([](Loop& loop) {
        Counted::alive = 0;
        block_on(loop, house_rules(loop));
        CHECK(Counted::alive == 0);
    });
}

TEST_CASE("a task that is never awaited, or moved into a scope, gives back what it was given") {
    test::on_every_io([](Loop& loop) {
        Counted::alive = 0;
        { auto never_started = holds(loop, std::make_unique<Counted>()); }
        CHECK(Counted::alive == 0);
        auto first = holds(loop, std::make_unique<Counted>());
        first = holds(loop, std::make_unique<Counted>());
        Scope scope(loop);
        scope.start(std::move(first));
        block_on(loop, scope.drained());
        CHECK(Counted::alive == 0);
    });
}
