#include "broker/replies.hpp"

#include "base/assert.hpp"

namespace rafka::broker {

Replies::~Replies() {
    // One by one: a chain of destructors could be long.
    while (first_) first_ = std::move(first_->next);
}

Request& Replies::add(std::unique_ptr<Request> request) {
    ASSERT(!full());
    auto* added = request.get();
    (last_ ? last_->next : first_) = std::move(request);
    last_ = added;
    ++size_;
    return *added;
}

size_t Replies::collect() {
    ASSERT(first_ready());
    auto& gather = first_->gather;
    gather.clear();
    auto& pieces = first_->pieces;
    pieces.clear();
    size_t count = 0;
    for (auto* request = first_.get(); request && request->ready; request = request->next.get()) {
        size_t before = pieces.size();
        request->answer.add_pieces(pieces);
        if (count > 0 && pieces.size() > pieces_max) {
            pieces.resize(before);
            break;
        }
        ++count;
        if (request->close) break;
    }
    for (auto piece : pieces) gather.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
    return count;
}

void Replies::release(size_t count, RequestPool& pool) {
    ASSERT(count <= size_);
    for (; count > 0; --count, --size_) {
        auto request = std::move(first_);
        first_ = std::move(request->next);
        pool.give_back(std::move(request));
    }
    if (!first_) last_ = nullptr;
}

}  // namespace rafka::broker
