#pragma once

// What the engine asks of files beyond io/file.hpp.

#include "io/file.hpp"

namespace rafka::engine {

// Reads until `enough` bytes are there, `into` is full or the file ends; how much came. With a direct descriptor, `into`
// and `position` are aligned.
Task<Result<size_t>> read_up_to(const io::File& file, MutableBytes into, uint64_t position, size_t enough = SIZE_MAX);
// The small steps of segments; failures of a close are for those who did not sync.
Task<> close_file(io::File file);
Task<Result<>> truncate_file(const io::File& file, uint64_t length);
Task<Result<>> sync_file(const io::File& file, uint32_t flags = 0);
// A file that is not there is fine.
Task<Result<>> remove_if_there(Io& io, std::string path);

}  // namespace rafka::engine
