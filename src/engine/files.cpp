#include "engine/files.hpp"

namespace rafka::engine {

Task<Result<size_t>> read_up_to(const io::File& file, MutableBytes into, uint64_t position) {
    size_t done = 0;
    while (done < into.size()) {
        CO_TRY(auto bytes, co_await file.read_at(into.subspan(done), position + done));
        done += bytes;
        // The last block of a file comes in part; a direct read could not go on from there.
        if (bytes == 0 || done % 512 != 0) break;
    }
    co_return done;
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
