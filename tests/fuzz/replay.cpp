// The main function of every target where it is not libFuzzer's: runs the target on files, and on inputs made of them.
//
//   fuzz_TARGET [--rounds N] [--seed S] PATH...
//
// Each PATH is an input or a folder of them. Every input is one that has to pass; behind them come N damaged copies. The
// input that ends the process is left as crash-TARGET in the working directory.

#include "fuzz/target.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

extern "C" {
[[gnu::weak]] int LLVMFuzzerInitialize(int* argc, char*** argv);
[[gnu::weak]] size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max, unsigned seed);
[[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());
}

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<uint8_t>;

constexpr size_t input_bytes_max = 4096;

std::mt19937_64 random_bits;
std::string target;
const Bytes* running = nullptr;

size_t draw(size_t bound) { return size_t(random_bits() % bound); }

// One wound, of the sorts that hurt decoders: lengths that lie, ends that come early, pieces that repeat.
void damage(Bytes& bytes) {
    if (bytes.empty()) return bytes.push_back(uint8_t(random_bits()));
    auto at = draw(bytes.size());
    auto left = bytes.size() - at;
    auto here = bytes.begin() + ptrdiff_t(at);
    switch (draw(7)) {
        case 0: *here = uint8_t(random_bits()); break;
        case 1: *here ^= uint8_t(1 << draw(8)); break;
        case 2: bytes.resize(at); break;
        case 3: bytes.erase(here, here + ptrdiff_t(1 + draw(left))); break;
        case 4: {
            Bytes copy(here, here + ptrdiff_t(1 + draw(std::min(left, size_t(40)))));
            bytes.insert(bytes.begin() + ptrdiff_t(draw(bytes.size())), copy.begin(), copy.end());
            break;
        }
        case 5: std::fill_n(here, std::min(left, 1 + draw(5)), uint8_t(0xff)); break;
        case 6: std::generate_n(here, std::min(left, 1 + draw(4)), [] { return uint8_t(draw(2) ? 0x7f : 0x00); }); break;
    }
}

void save_running() {
    if (!running) return;
    std::ofstream("crash-" + target, std::ios::binary)
        .write(reinterpret_cast<const char*>(running->data()), std::streamsize(running->size()));
    std::fprintf(stderr, "%s: the input is in crash-%s\n", target.c_str(), target.c_str());
}

void on_abort(int) {
    save_running();
    std::signal(SIGABRT, SIG_DFL);
    std::raise(SIGABRT);
}

void run(const Bytes& bytes) {
    running = &bytes;
    // Memory of exactly that size, so that one byte too far is seen.
    auto exact = std::make_unique<uint8_t[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), exact.get());
    LLVMFuzzerTestOneInput(exact.get(), bytes.size());
    running = nullptr;
}

Bytes mutated(Bytes bytes) {
    if (!LLVMFuzzerCustomMutator) {
        for (auto wounds = 1 + draw(4); wounds > 0; --wounds) damage(bytes);
        return bytes;
    }
    bytes.resize(std::max(bytes.size(), input_bytes_max));
    auto size = std::min(bytes.size(), input_bytes_max);
    bytes.resize(LLVMFuzzerCustomMutator(bytes.data(), size, bytes.size(), unsigned(random_bits())));
    return bytes;
}

std::vector<Bytes> read_inputs(const std::vector<std::string>& paths) {
    std::vector<fs::path> files;
    for (auto& path : paths) {
        if (!fs::is_directory(path)) files.emplace_back(path);
        else for (auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<Bytes> inputs;
    for (auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            std::fprintf(stderr, "%s: cannot read %s\n", target.c_str(), file.c_str());
            std::exit(2);
        }
        inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return inputs;
}

}  // namespace

// What libFuzzer offers to custom mutators.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t size_max) {
    Bytes bytes(data, data + size);
    for (auto wounds = 1 + draw(4); wounds > 0; --wounds) damage(bytes);
    bytes.resize(std::min(bytes.size(), size_max));
    std::copy(bytes.begin(), bytes.end(), data);
    return bytes.size();
}

int main(int argc, char** argv) {
    target = fs::path(argv[0]).filename().string();
    size_t rounds = 0;
    uint64_t seed = 1;
    std::vector<std::string> paths;
    for (int i = 1; i < argc; ++i) {
        std::string argument = argv[i];
        bool has_value = i + 1 < argc;
        if (argument == "--rounds" && has_value) rounds = std::strtoull(argv[++i], nullptr, 10);
        else if (argument == "--seed" && has_value) seed = std::strtoull(argv[++i], nullptr, 10);
        else paths.push_back(argument);
    }
    std::signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(save_running);

    if (LLVMFuzzerInitialize) LLVMFuzzerInitialize(&argc, &argv);
    auto inputs = read_inputs(paths);
    for (auto& input : inputs) run(input);
    random_bits.seed(seed);
    for (size_t i = 0; i < rounds; ++i) run(mutated(inputs.empty() ? Bytes() : inputs[draw(inputs.size())]));
    std::printf("%s: %zu inputs, %zu damaged copies, seed %llu\n", target.c_str(), inputs.size(), rounds,
                static_cast<unsigned long long>(seed));
    return inputs.empty() && rounds == 0 ? 2 : 0;
}
