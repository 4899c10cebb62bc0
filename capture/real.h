// The lookup of the function that an interposed one stands before.
#ifndef JOBTAIL_CAPTURE_REAL_H_
#define JOBTAIL_CAPTURE_REAL_H_

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace jobtail::capture::internal {

// A string as a template argument.
template <size_t N>
struct Name {
  // NOLINTNEXTLINE(google-explicit-constructor): a literal becomes a Name.
  constexpr Name(const char (&text)[N]) { std::copy_n(text, N, value); }
  char value[N];
};

// The function that an interposed one stands before: the next definition of `name` in the dynamic
// linker's order, which is the C library's, or a sanitizer's or preloaded library's. Looked up at
// the first call, which may come before any constructor has run. Thread-safe.
//
//   return Real<"write", ssize_t(int, const void*, size_t)>()(fd, data, size);
template <Name name, typename Function>
Function* Real() {
  static constinit std::atomic<Function*> real = nullptr;
  Function* function = real.load(std::memory_order_relaxed);
  if (!function) [[unlikely]] {
    function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name.value));
    real.store(function, std::memory_order_relaxed);
  }
  return function;
}

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_REAL_H_
