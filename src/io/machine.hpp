#pragma once

// What Uring and Epoll have in common: the machine's clocks and its random numbers.

#include <rafka/io.hpp>

namespace rafka::io {

class Machine : public Io {
public:
    Instant now() const override;
    Timestamp wall() const override;
    uint64_t random() override;  // From the kernel: good enough for keys.

private:
    std::array<uint64_t, 32> random_{};
    size_t random_left_ = 0;
};

// A list of operations through Operation::next, first in, first out.
class Chain {
public:
    bool empty() const { return first_ == nullptr; }
    void push(Operation& operation) {
        operation.next = nullptr;
        (last_ ? last_->next : first_) = &operation;
        last_ = &operation;
    }
    void push_front(Operation& operation) {
        operation.next = first_;
        first_ = &operation;
        if (last_ == nullptr) last_ = &operation;
    }
    Operation* front() const { return first_; }
    Operation* pop() {
        auto* operation = first_;
        first_ = operation->next;
        if (first_ == nullptr) last_ = nullptr;
        return operation;
    }
    // False: it is not here.
    bool remove(Operation& operation);
    void append(Chain& other) {
        if (other.empty()) return;
        (last_ ? last_->next : first_) = other.first_;
        last_ = other.last_;
        other = {};
    }
    Operation* take() {
        auto* first = first_;
        first_ = last_ = nullptr;
        return first;
    }

private:
    Operation* first_ = nullptr;
    Operation* last_ = nullptr;
};

}  // namespace rafka::io
