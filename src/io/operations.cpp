#include <rafka/io.hpp>

#include "base/assert.hpp"

#include <cerrno>

namespace rafka {

void Cancel::fire() {
    if (fired_) return;
    fired_ = true;
    // They leave the list when they are back.
    for (auto* operation = first_; operation != nullptr; operation = operation->cancel_next) io_.cancel(*operation);
}

void Await::await_suspend(std::coroutine_handle<> waiter) {
    operation_.waiter = waiter;
    if (cancel_ != nullptr) {
        operation_.cancel_next = cancel_->first_;
        if (cancel_->first_ != nullptr) cancel_->first_->cancel_previous = &operation_;
        cancel_->first_ = &operation_;
    }
    io_.submit(operation_);
}

Result<uint32_t> Await::await_resume() {
    if (!operation_.waiter) return fail(Errc::canceled);  // It was too late to begin.
    if (cancel_ != nullptr) {
        auto* next = operation_.cancel_next;
        auto* previous = operation_.cancel_previous;
        ASSERT(previous != nullptr || cancel_->first_ == &operation_);
        (previous ? previous->cancel_next : cancel_->first_) = next;
        if (next != nullptr) next->cancel_previous = previous;
    }
    if (operation_.result < 0) return fail(errc_of(-operation_.result));
    return uint32_t(operation_.result);
}

}  // namespace rafka
