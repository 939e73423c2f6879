#pragma once

// Broken invariants end the process, in release builds too: a broker that restarts in milliseconds loses less than one
// that writes on. Never assert what came from a socket or a disk.

namespace rafka {
[[noreturn]] void assert_failed(const char* condition, const char* file, int line);
}

#define ASSERT(condition) \
    do { if (!(condition)) [[unlikely]] ::rafka::assert_failed(#condition, __FILE__, __LINE__); } while (false)
#define UNREACHABLE() ::rafka::assert_failed("unreachable", __FILE__, __LINE__)

// Costly checks: in debug builds, and so in the simulator.
#ifdef RAFKA_ASSERT_SLOW
#define ASSERT_SLOW(condition) ASSERT(condition)
#else
#define ASSERT_SLOW(condition) do { } while (false)
#endif
