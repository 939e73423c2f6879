#pragma once

// Walks the batches of a .log file in order, for recovery and for lookups by time. Looks at headers only; whether the
// rest of a batch is whole is the caller's question.

#include "engine/chunks.hpp"
#include "io/file.hpp"

#include <rafka/record_batch.hpp>

#include <cstdint>
#include <optional>

namespace rafka::engine {

class BatchScanner {
public:
    // Batches of [position, limit). `file` may be a direct descriptor. A batch begins at `position`.
    BatchScanner(const io::File& file, uint64_t position, uint64_t limit) : file_(file), position_(position), limit_(limit) {}
    ~BatchScanner() { if (buffer_) buffer_->drop(); }
    BatchScanner(const BatchScanner&) = delete;
    BatchScanner& operator=(const BatchScanner&) = delete;

    // The next batch, if it is in memory. It stays until fill().
    std::optional<BatchView> next();
    // Reads on. False: there is no further whole batch; see end().
    Task<Result<bool>> fill();

    uint64_t batch_position() const { return position_ - last_size_; }  // Of the batch that came last.
    uint64_t position() const { return position_; }                     // Behind it.

    enum class End : uint8_t {
        open,   // Not reached.
        limit,  // The last batch ends where the file does.
        zeros,  // Space that was allocated and never written.
        bad,    // No batch, or the beginning of one.
    };
    End end() const { return end_; }

private:
    const io::File& file_;
    uint64_t position_;
    uint64_t limit_;
    Chunk* buffer_ = nullptr;
    uint64_t buffer_position_ = 0;
    size_t filled_ = 0;
    size_t needed_ = 0;      // Of the batch at position_, as far as is known.
    size_t capacity_ = 0;
    uint64_t last_size_ = 0;
    End end_ = End::open;
};

}  // namespace rafka::engine
