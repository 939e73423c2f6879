#pragma once

// The requests of one connection in the order they came, from arrival until their answers are sent. Answers leave in
// that order, whichever is ready first. Owned by its connection; costs nothing while it is empty.

#include "broker/request.hpp"

#include <cstddef>
#include <memory>

namespace rafka::broker {

class Replies {
public:
    // At the bound the connection stops reading; the client's TCP window does the rest.
    static constexpr size_t outstanding_max = 64;
    // Of one gather send; the kernel takes at most 1024 (IOV_MAX).
    static constexpr size_t pieces_max = 1024;

    Replies() = default;
    ~Replies();
    Replies(const Replies&) = delete;
    Replies& operator=(const Replies&) = delete;

    size_t size() const { return size_; }
    bool full() const { return size_ >= outstanding_max; }

    // Takes the next place.
    Request& add(std::unique_ptr<Request> request);
    // True while the oldest answer is there and may leave.
    bool first_ready() const { return first_ && first_->ready; }

    // Puts the pieces of the longest ready prefix into the first request's `gather`, and returns how many requests that
    // is: at least one, no more than fit into one send (one alone may be longer), and none behind one that closes.
    // Requires first_ready().
    size_t collect();
    Request& first() { return *first_; }
    // The answers of the oldest `count` requests are sent.
    void release(size_t count, RequestPool& pool);
    void clear(RequestPool& pool) { release(size_, pool); }

private:
    std::unique_ptr<Request> first_;
    Request* last_ = nullptr;
    size_t size_ = 0;
};

}  // namespace rafka::broker
