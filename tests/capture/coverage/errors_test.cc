// What a job gets wrong: it sees the errors that it would see if nobody listened.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

constexpr size_t kPage = 4096;

// A page that can be read, with text at its end, and one after it that cannot.
struct Pages {
  Pages() : begin(static_cast<char*>(Map(2 * kPage, PROT_READ | PROT_WRITE))) {
    for (size_t i = 0; i < kPage; ++i) begin[i] = 'x';
    mprotect(begin + kPage, kPage, PROT_NONE);
  }
  ~Pages() { munmap(begin, 2 * kPage); }

  static void* Map(size_t size, int protection) {
    return mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  char* end() const { return begin + kPage; }

  char* const begin;
};

// What the compiler does not see to be wrong.
char* volatile null = nullptr;
iovec* volatile no_parts = nullptr;
volatile int minus_one = -1;

template <typename Call>
void RequireError(int error, const char* what, Call call) {
  errno = 0;
  Require(call() == -1 && errno == error, what);
}

TEST(Errors, BadPointersOfWrite) {
  const Observation seen = Observe([](Recorder& sink) {
    const Pages pages;
    auto* const low = reinterpret_cast<char*>(4);
    auto* const high = reinterpret_cast<char*>(UINTPTR_MAX - 8);
    const Scope scope(&sink);
    RequireError(EFAULT, "null", [] { return write(1, null, 4); });
    RequireError(EFAULT, "low", [=] { return write(1, low, 4); });
    RequireError(EFAULT, "high", [=] { return write(1, high, 4); });
    RequireError(EFAULT, "beyond the end of all memory", [=] { return write(1, high, 100); });
    RequireError(EFAULT, "protected", [&] { return write(2, pages.end(), 1); });
    RequireError(EFAULT, "pwrite", [] { return pwrite(1, null, 4, 0); });
    RequireError(EFAULT, "syscall", [] { return syscall(SYS_write, 1, nullptr, 4); });
    Require(write(1, nullptr, 0) == 0, "nothing is read of nothing");
    Require(write(1, pages.end() - 3, 5) == 3, "what can be read is written");
    Require(write(1, pages.begin, SIZE_MAX / 2) == kPage, "the same of a large size");
    Require(write(1, "\n", 1) == 1, "and goes on");
  });
  EXPECT_EQ(Join(seen.captured(), Stream::kStdout), std::string(3 + kPage, 'x') + "\n");
}

TEST(Errors, BadVectors) {
  const Observation seen = Observe([](Recorder& sink) {
    const Pages pages;
    std::string good = "good ";
    const Scope scope(&sink);
    const auto vector = [](std::vector<iovec> parts) {
      return writev(1, parts.data(), static_cast<int>(parts.size()));
    };
    RequireError(EINVAL, "a negative length", [&] {
      return vector({{good.data(), static_cast<size_t>(-1)}});
    });
    RequireError(EINVAL, "a sum beyond the limit", [&] {
      return vector({{good.data(), SSIZE_MAX}, {good.data(), SSIZE_MAX}});
    });
    RequireError(EFAULT, "a bad base", [&] { return vector({{nullptr, 4}}); });
    RequireError(EFAULT, "bad parts", [] { return writev(1, no_parts, 2); });
    RequireError(EINVAL, "a negative count", [&] { return writev(1, no_parts, minus_one); });
    RequireError(EINVAL, "too many", [&] {
      const std::vector<iovec> parts(IOV_MAX + 1);
      return writev(1, parts.data(), static_cast<int>(parts.size()));
    });
    Require(vector({{nullptr, 0}}) == 0, "an empty part may be anywhere");
    Require(vector({{good.data(), 5}, {pages.end() - 2, 4}, {good.data(), 5}}) == 7,
            "what comes first is written");
    RequireError(EFAULT, "pwritev2", [&] {
      const iovec part{nullptr, 4};
      return pwritev2(1, &part, 1, -1, 0);
    });
    RequireError(EFAULT, "vmsplice", [&] {
      const iovec part{nullptr, 4};
      return vmsplice(1, &part, 1, 0);
    });
  });
  EXPECT_EQ(Join(seen.captured(), Stream::kStdout), "good xx");
}

}  // namespace
}  // namespace jobtail::capture
