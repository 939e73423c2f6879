#include "io/backend.hpp"
#include "io/buffers.hpp"
#include "io/file.hpp"

#include <cstring>

namespace rafka::io {
namespace {

// Errc::locked is the kernel's EAGAIN here: it would have had to wait.
bool means_no(Errc errc) { return errc == Errc::locked || errc == Errc::unsupported || errc == Errc::invalid_argument; }

Task<Result<bool>> ask(Loop& loop, const File& file) {
    constexpr size_t size = 65536;
    Buffer zeros(size);
    std::memset(zeros.data(), 0, size);
    CO_CHECKED(co_await file.allocate(0, size));
    CO_CHECKED(co_await file.write_all(zeros.bytes(), 0, flag::durable));
    // Several times: some kernels go inline only as long as the file's times need no update.
    for (uint64_t i = 0; i < 3; ++i) {
        co_await sleep_for(loop, std::chrono::milliseconds(5));
        auto written = co_await file.write_at(zeros.first(buffer_alignment), i * buffer_alignment, flag::durable | flag::no_wait);
        if (!written && means_no(written.error())) co_return false;
        CO_CHECKED(written);
    }
    co_return true;
}

}  // namespace

Task<Result<bool>> writes_inline(Loop& loop, std::string directory) {
    auto& io = loop.io();
    std::string path = directory + "/.inline-probe." + std::to_string(io.random());
    auto opened = co_await File::open(io, path, flag::write | flag::create | flag::exclusive | flag::direct);
    if (!opened) {
        // Where direct I/O is refused the file may have been made all the same.
        (void)co_await remove(io, path);
        if (means_no(opened.error())) co_return false;
        co_return fail(opened.error());
    }
    auto file = std::move(*opened);
    auto answer = co_await ask(loop, file);
    (void)co_await file.close();
    (void)co_await remove(io, path);
    if (!answer && means_no(answer.error())) co_return false;
    co_return answer;
}

}  // namespace rafka::io
