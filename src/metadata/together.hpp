#pragma once

// Several tasks at once, where each waits for the disk.

#include <rafka/loop.hpp>
#include <rafka/result.hpp>

#include <vector>

namespace rafka::metadata {

namespace detail {
inline Task<> note_failure(Task<Result<>> work, Result<>& all) {
    auto done = co_await std::move(work);
    if (!done && all) all = done;
}
}  // namespace detail

// Starts them in order and waits for all of them. The first failure, if any.
inline Task<Result<>> together(std::vector<Task<Result<>>> works) {
    Result<> all;
    Scope scope(Loop::current());
    for (auto& work : works) scope.start(detail::note_failure(std::move(work), all));
    co_await scope.drained();
    co_return all;
}

}  // namespace rafka::metadata
