#pragma once

// Which Io this machine allows, how many loops it can feed, and the threads they run on.

#include <rafka/io.hpp>
#include <rafka/loop.hpp>
#include <rafka/task.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace rafka::io {

enum class Backend : uint8_t { automatic, uring, epoll };

// Empty if io_uring can be used; otherwise one sentence that names the cause and, where there is one, the remedy.
std::string probe_uring();
// The sentence for an errno of io_uring_setup or io_uring_enter.
std::string uring_refusal(int error);

struct MadeIo {
    std::unique_ptr<Io> io;  // Null: `uring` was demanded, and the machine does not allow it.
    Backend chosen = Backend::automatic;
    std::string sentence;  // For the log: what was chosen, and why not the other; or why nothing was.
};
// On the thread of the loop that will use it.
MadeIo make_io(Backend wanted);

// Cores that this process may use: affinity and the control group's quota. At least 1.
uint32_t usable_cores();
// One loop on 1 or 2 cores, one less than there are above.
uint32_t default_loop_count(uint32_t cores);
// How long a loop may look for completions before it sleeps: nothing where loops do not have their cores to themselves.
Duration default_spin_max(uint32_t loop_count, uint32_t cores);

// Whether a durable direct write into written space of this directory goes straight to the device, or its caller (with
// io_uring: a hidden kernel thread) waits for the file system. Makes a file there for the time of the question.
Task<Result<bool>> writes_inline(Loop& loop, std::string directory);

// Loops, each with an Io of its own made on its own thread. Loop 0 belongs to the thread that makes this object: turn it
// there (block_on, run). The others run until the object ends. Requires then that nothing waits on any of them.
class LoopThreads {
public:
    LoopThreads(uint32_t count, Backend backend, Duration spin_max = {});
    ~LoopThreads();
    LoopThreads(const LoopThreads&) = delete;
    LoopThreads& operator=(const LoopThreads&) = delete;

    // False: this machine does not allow the wanted backend; there are no loops.
    bool is_good() const { return good_; }
    Backend chosen() const { return chosen_; }
    const std::string& sentence() const { return sentence_; }

    uint32_t count() const { return uint32_t(loops_.size()); }
    Loop& operator[](size_t index) { return *loops_[index]; }

private:
    void run_thread(uint32_t index, Backend backend, Duration spin_max);

    std::unique_ptr<Io> first_io_;
    std::unique_ptr<Loop> first_loop_;
    std::vector<Loop*> loops_;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable changed_;
    uint32_t started_ = 0;
    uint32_t ended_ = 0;
    bool told_to_end_ = false;
    bool good_ = false;
    Backend chosen_ = Backend::automatic;
    std::string sentence_;
};

}  // namespace rafka::io
