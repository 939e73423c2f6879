#include "engine/files.hpp"

#include "engine/chunks.hpp"

#include <algorithm>

namespace rafka::engine {

Task<Result<size_t>> read_up_to(const io::File& file, MutableBytes into, uint64_t position, size_t enough) {
    enough = std::min(enough, into.size());
    size_t end = 0;
    for (size_t done = 0; end < enough;) {
        CO_TRY(auto bytes, co_await file.read_at(into.subspan(done), position + done));
        // What ends in the same place twice is likely to be the end of the file; but reads may be short.
        bool no_progress = done + bytes <= end;
        end = std::max(end, done + bytes);
        if (no_progress || bytes == 0) {
            CO_TRY(auto status, co_await file.status());
            if (position + end >= status.size) break;
        }
        done = block_floor(end);  // A direct read goes on from a block only.
    }
    co_return end;
}

Task<> close_file(io::File file) { (void)co_await file.close(); }

Task<Result<>> truncate_file(const io::File& file, uint64_t length) {
    CO_CHECKED(co_await file.truncate(length));
    co_return Result<>();
}

Task<Result<>> sync_file(const io::File& file, uint32_t flags) {
    CO_CHECKED(co_await file.sync(flags));
    co_return Result<>();
}

Task<Result<>> remove_if_there(Io& io, std::string path) {
    auto removed = co_await io::remove(io, std::move(path));
    if (!removed && removed.error() != Errc::not_found) co_return removed;
    co_return Result<>();
}

}  // namespace rafka::engine
