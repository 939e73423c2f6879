// Allocations of requests, once the broker is warm: there shall be none.
//
//   request_allocations [SCENARIO ...]

#include "cost/rig.hpp"

#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>

namespace {

bool is_counting = false;
uint64_t allocations = 0;

void* counted(size_t size, size_t alignment) {
    allocations += is_counting;
    auto* memory = alignment == 0 ? std::malloc(size) : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (!memory) std::abort();
    return memory;
}

}  // namespace

void* operator new(size_t size) { return counted(size, 0); }
void* operator new(size_t size, std::align_val_t alignment) { return counted(size, size_t(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {

using namespace rafka::cost;

struct Counter final : Observer {
    void broker_runs() override { is_counting = true; }
    void machine_runs() override { is_counting = false; }
};

struct Named {
    std::string_view name;
    Scenario run;
};
constexpr Named scenarios[] = {
    {"fetch", fetch},
    {"fetch_waits", fetch_waits},
    {"fetch_idle", fetch_idle},
    {"fetch_session", fetch_session},
};

uint64_t allocations_of(Scenario scenario, int count) {
    Counter counter;
    Rig rig;
    rig.seam().observer = &counter;
    auto before = allocations;
    scenario(rig, count);
    rig.seam().observer = nullptr;
    is_counting = false;
    return allocations - before;
}

}  // namespace

int main(int argc, char** argv) {
    constexpr int few = 100, many = 600;
    bool failed = false;
    for (auto& [name, run] : scenarios) {
        if (argc > 1 && name != argv[1]) continue;
        // What starting and warming up allocates is in both; the first run fills what the thread keeps.
        allocations_of(run, few);
        auto of_requests = int64_t(allocations_of(run, many)) - int64_t(allocations_of(run, few));
        std::printf("%-16s %lld allocations in %d requests\n", name.data(), static_cast<long long>(of_requests), many - few);
        failed |= of_requests != 0;
    }
    return failed ? 1 : 0;
}
