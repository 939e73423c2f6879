// Feeds every Reader with damaged messages until the time is over: fuzz SECONDS [SEED]. Build it with sanitizers; what it
// must find is a crash, a read out of bounds, or a message that changes when it is written and read again.

#include "protocol/api.hpp"
#include "protocol/every_message.hpp"
#include "wire/frame.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

using namespace rafka;
using namespace rafka::protocol;

namespace {

std::mt19937_64 random_bits;

size_t draw(size_t bound) { return size_t(random_bits() % bound); }

// One wound, of the sorts that hurt decoders: lengths that lie, ends that come early, pieces that repeat.
void damage(std::vector<std::byte>& bytes) {
    if (bytes.empty()) return bytes.push_back(std::byte(random_bits()));
    auto at = draw(bytes.size());
    auto left = bytes.size() - at;
    auto here = bytes.begin() + ptrdiff_t(at);
    switch (draw(7)) {
        case 0: *here = std::byte(random_bits()); break;
        case 1: *here ^= std::byte(1 << draw(8)); break;
        case 2: bytes.resize(at); break;
        case 3: bytes.erase(here, here + ptrdiff_t(1 + draw(left))); break;
        case 4: {
            std::vector<std::byte> copy(here, here + ptrdiff_t(1 + draw(std::min(left, size_t(40)))));
            bytes.insert(bytes.begin() + ptrdiff_t(draw(bytes.size())), copy.begin(), copy.end());
            break;
        }
        case 5:
            for (size_t i = 0; i < std::min(left, 1 + draw(5)); ++i) here[ptrdiff_t(i)] = std::byte(0xff);
            break;
        case 6:
            for (size_t i = 0; i < std::min(left, 1 + draw(4)); ++i) here[ptrdiff_t(i)] = std::byte(draw(2) ? 0x7f : 0x00);
            break;
    }
}

bool flexible_for_fuzz(int16_t, int16_t version) { return version % 2; }

// False when something is wrong.
bool round(const AnyMessage& message, int16_t version) {
    auto bytes = message.sample(random_bits(), version);
    if (draw(8) == 0) {
        bytes.resize(draw(300));
        for (auto& byte : bytes) byte = std::byte(random_bits());
    }
    for (size_t wounds = draw(5); wounds > 0; --wounds) damage(bytes);
    // Memory of exactly that size, so that one byte too far is seen.
    auto exact = std::make_unique<std::byte[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), exact.get());
    Bytes input(exact.get(), bytes.size());

    auto header = input;
    (void)wire::read_request_header(header, flexible_for_fuzz);
    header = input;
    (void)wire::read_response_header(header, draw(2));

    auto again = message.rewrite(input, version);
    if (!again) return true;
    (void)message.describe(input, version);
    auto stable = message.rewrite(*again, version);
    return stable && *stable == *again;
}

}  // namespace

int main(int argc, char** argv) {
    double seconds = argc > 1 ? std::atof(argv[1]) : 10;
    uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device{}();
    std::printf("fuzz: seed %llu\n", static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    random_bits.seed(seed);

    auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    size_t rounds = 0;
    while (std::chrono::steady_clock::now() < end) {
        for (auto& message : every_message()) {
            auto version = int16_t(message.schema.oldest + int16_t(draw(size_t(message.schema.newest - message.schema.oldest + 1))));
            ++rounds;
            if (round(message, version)) continue;
            std::printf("fuzz: %s version %d changes in round %zu\n", message.name.c_str(), version, rounds);
            return 1;
        }
    }
    std::printf("fuzz: %zu rounds\n", rounds);
    return 0;
}
