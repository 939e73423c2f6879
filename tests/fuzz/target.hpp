#pragma once

// What every target gives and may use: libFuzzer's interface, which replay.cpp offers too.

#include <cstddef>
#include <cstdint>

extern "C" {
// Runs the target on one input. A bug ends the process. -1: the input is none that belongs into a corpus.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// Changes the input somehow and returns its new size.
size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t size_max);
}
