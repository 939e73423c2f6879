#include <rafka/task.hpp>

#include <array>
#include <cstdint>
#include <new>

namespace rafka::detail {
namespace {

// Free frames by size class: 64-byte steps up to 4 KiB; larger ones are not kept. A frame that was made on another
// thread joins the list of the thread that frees it.
constexpr size_t step = 64;
constexpr size_t class_count = 64;
constexpr uint32_t kept_max = 256;  // Per class and thread.

struct Free { Free* next; };

struct Lists {
    std::array<Free*, class_count> first{};
    std::array<uint32_t, class_count> count{};
    ~Lists() {
        for (auto* frame : first) {
            while (frame) {
                auto* next = frame->next;
                ::operator delete(frame);
                frame = next;
            }
        }
        // Frames freed while the thread ends go to the allocator.
        count.fill(kept_max);
        first.fill(nullptr);
    }
};
thread_local Lists lists;

}  // namespace

void* allocate_frame(size_t size) {
    size_t index = (size + step - 1) / step;
    if (index >= class_count) return ::operator new(size);
#ifndef RAFKA_ASAN
    if (auto* frame = lists.first[index]) {
        lists.first[index] = frame->next;
        --lists.count[index];
        return frame;
    }
#endif
    return ::operator new(index * step);
}

void free_frame(void* frame, size_t size) noexcept {
    size_t index = (size + step - 1) / step;
#ifndef RAFKA_ASAN
    if (index < class_count && lists.count[index] < kept_max) {
        lists.first[index] = new (frame) Free{lists.first[index]};
        ++lists.count[index];
        return;
    }
#else
    (void)index;  // Under ASan a dead frame must stay dead.
#endif
    ::operator delete(frame);
}

}  // namespace rafka::detail
