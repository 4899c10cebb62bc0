// The entry point of a fuzz target, and the check of a property.
#ifndef JOBTAIL_TESTS_FUZZ_FUZZ_H_
#define JOBTAIL_TESTS_FUZZ_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

// A fuzz target defines this.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace jobtail::fuzz {

inline std::string_view AsText(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Ends the process, so that the fuzzer keeps the input, if a property does not hold.
inline void Check(bool holds, std::string_view property, std::string_view detail = "") {
  if (holds) return;
  std::cerr << "does not hold: " << property << "\n" << detail << "\n";
  std::abort();
}

}  // namespace jobtail::fuzz

#endif  // JOBTAIL_TESTS_FUZZ_FUZZ_H_
