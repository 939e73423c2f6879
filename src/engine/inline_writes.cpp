#include "engine/inline_writes.hpp"

#include "engine/chunks.hpp"
#include "engine/files.hpp"
#include "io/buffers.hpp"
#include "io/uring.hpp"

#include <charconv>
#include <cstring>

namespace rafka::engine {
namespace {

constexpr uint64_t write_count = 64;

// Files of /proc have no size.
Task<std::string> small_file(Io& io, std::string path) {
    std::string text(4096, '\0');
    auto file = co_await io::File::open(io, std::move(path), flag::read_only);
    if (!file) co_return std::string();
    auto bytes = co_await file->read_at(MutableBytes(reinterpret_cast<std::byte*>(text.data()), text.size()), 0);
    text.resize(bytes ? *bytes : 0);
    co_await close_file(std::move(*file));
    co_return text;
}

Task<Result<>> write_blocks(io::File& file, io::Buffer& block, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) CO_CHECKED(co_await file.write_all(Bytes(block.bytes()), i * block_size, flag::durable));
    co_return Result<>();
}

Task<Result<bool>> try_writes(Io& io, std::string path) {
    CO_TRY(auto file, co_await io::File::open(io, std::move(path), flag::write | flag::create | flag::truncate | flag::direct));
    CO_CHECKED(co_await file.allocate(0, write_count * block_size));
    io::Buffer block(block_size);
    std::memset(block.data(), 0, block_size);
    // Counting itself keeps workers busy: it is done twice, once with nothing between.
    auto first = co_await ring_worker_sleeps(io);
    auto second = co_await ring_worker_sleeps(io);
    auto written = co_await write_blocks(file, block, write_count);
    auto third = co_await ring_worker_sleeps(io);
    co_await close_file(std::move(file));
    CO_CHECKED(written);
    auto idle = second - first, busy = third - second;
    co_return busy < idle + write_count / 2;
}

}  // namespace

Task<uint64_t> ring_worker_sleeps(Io& io) {
    uint64_t sum = 0;
    auto tasks = co_await io::list(io, "/proc/self/task");
    if (!tasks) co_return sum;
    for (auto& task : *tasks) {
        auto directory = "/proc/self/task/" + task.name;
        auto name = co_await small_file(io, directory + "/comm");
        if (!name.starts_with("iou-wrk")) continue;
        auto status = co_await small_file(io, directory + "/status");
        constexpr std::string_view label = "\nvoluntary_ctxt_switches:\t";
        auto at = status.find(label);
        uint64_t count = 0;
        if (at != std::string::npos) std::from_chars(status.data() + at + label.size(), status.data() + status.size(), count);
        sum += count;
    }
    co_return sum;
}

Task<bool> probe_inline_writes(Io& io, std::string directory) {
    if (!dynamic_cast<io::Uring*>(&io)) co_return false;
    auto path = directory + "/inline-writes.tmp";
    auto is_inline = co_await try_writes(io, path);
    (void)co_await remove_if_there(io, path);
    co_return is_inline.value_or(false);
}

}  // namespace rafka::engine
