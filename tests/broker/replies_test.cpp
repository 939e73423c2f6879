// Answers leave in the order of the requests, whichever is ready first.

#include "broker/replies.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace rafka;
using namespace rafka::broker;

namespace {

Request& ask(Replies& replies, RequestPool& pool, std::string_view answer) {
    auto request = pool.take();
    request->answer.append(as_bytes(answer));
    return replies.add(std::move(request));
}

// What would be sent now.
std::string send(Replies& replies, RequestPool& pool) {
    std::string sent;
    while (replies.first_ready()) {
        size_t count = replies.collect();
        for (auto& piece : replies.first().gather) sent.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
        sent += '|';
        replies.release(count, pool);
    }
    return sent;
}

}  // namespace

TEST_CASE("an answer waits for those before it, and then they leave together") {
    RequestPool pool;
    Replies replies;
    auto& first = ask(replies, pool, "one ");
    auto& second = ask(replies, pool, "two ");
    auto& third = ask(replies, pool, "three ");
    third.ready = true;
    CHECK(send(replies, pool) == "");
    second.ready = true;
    CHECK(send(replies, pool) == "");
    first.ready = true;
    CHECK(send(replies, pool) == "one two three |");
    CHECK(replies.size() == 0);
}

TEST_CASE("a request without an answer keeps its place and sends nothing") {
    RequestPool pool;
    Replies replies;
    ask(replies, pool, "one ").ready = true;
    ask(replies, pool, "").ready = true;
    ask(replies, pool, "three ").ready = true;
    CHECK(send(replies, pool) == "one three |");
}

TEST_CASE("nothing leaves together with what stands behind the end of the connection") {
    RequestPool pool;
    Replies replies;
    ask(replies, pool, "one ").ready = true;
    auto& last = ask(replies, pool, "two ");
    last.close = last.ready = true;
    ask(replies, pool, "never ").ready = true;
    CHECK(replies.collect() == 2);
    replies.clear(pool);
    CHECK_FALSE(replies.first_ready());
}

TEST_CASE("at the bound there is no place for another request") {
    RequestPool pool;
    Replies replies;
    for (size_t i = 0; i < Replies::outstanding_max; ++i) {
        CHECK_FALSE(replies.full());
        ask(replies, pool, "x").ready = true;
    }
    CHECK(replies.full());
    CHECK(send(replies, pool) == std::string(Replies::outstanding_max, 'x') + "|");
    CHECK_FALSE(replies.full());
}

TEST_CASE("one send takes no more pieces than the kernel, but at least one answer") {
    RequestPool pool;
    Replies replies;
    std::vector<std::string> borrowed(Replies::pieces_max, "b");
    for (size_t i = 0; i < 3; ++i) {
        auto& request = ask(replies, pool, "own");
        for (auto& piece : borrowed) request.answer.borrow(as_bytes(piece));
        request.ready = true;
    }
    CHECK(replies.collect() == 1);
    replies.release(1, pool);
    CHECK(replies.size() == 2);
    replies.clear(pool);
}

TEST_CASE("a budget has back what an answer held once it is sent") {
    RequestPool pool;
    Replies replies;
    std::atomic<int64_t> budget = 100;
    auto& request = ask(replies, pool, "x");
    request.held_of = &budget;
    request.held = 40;
    request.ready = true;
    send(replies, pool);
    CHECK(budget == 140);
}
