// What a job gets wrong: it sees the errors that it would see if nobody listened.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>
#include <thread>
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
    char* volatile const low = reinterpret_cast<char*>(4);
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

TEST(Errors, BadPointersOfNames) {
  Observe([](Recorder& sink) {
    const Pages pages;
    const char* const no_end = pages.end() - 3;
    const Scope scope(&sink);
    for (const char* const name : {reinterpret_cast<const char*>(8), no_end}) {
      RequireError(EFAULT, "open", [=] { return open(name, O_WRONLY | O_CLOEXEC); });
      RequireError(EFAULT, "openat", [=] { return openat(AT_FDCWD, name, O_RDWR | O_CLOEXEC); });
      RequireError(EFAULT, "creat", [=] { return creat(name, 0600); });
      RequireError(EFAULT, "truncate", [=] { return truncate(name, 0); });
      RequireError(EFAULT, "SYS_open", [=] { return syscall(SYS_open, name, O_WRONLY); });
      RequireError(EFAULT, "SYS_openat",
                   [=] { return syscall(SYS_openat, AT_FDCWD, name, O_WRONLY); });
    }
    RequireError(EFAULT, "SYS_openat2", [] {
      return syscall(SYS_openat2, AT_FDCWD, "/dev/stdout", reinterpret_cast<void*>(8), 24UL);
    });
    RequireError(EFAULT, "SYS_clone3",
                 [] { return syscall(SYS_clone3, reinterpret_cast<void*>(8), 88UL); });
    RequireError(ENAMETOOLONG, "a name that is too long",
                 [] { return open(std::string(10'000, 'x').c_str(), O_WRONLY | O_CLOEXEC); });
  });
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

TEST(Errors, BadOffsets) {
  const Observation seen = Observe([](Recorder& sink) {
    int ends[2];
    Require(pipe(ends) == 0 && write(ends[1], "piped", 5) == 5, "there is a pipe");
    const int file = memfd_create("file", MFD_CLOEXEC);
    Require(write(file, "file", 4) == 4, "there is a file");
    auto* const bad = reinterpret_cast<off_t*>(8);
    const Scope scope(&sink);
    RequireError(EFAULT, "sendfile", [=] { return sendfile(1, file, bad, 4); });
    RequireError(EFAULT, "copy_file_range",
                 [=] { return copy_file_range(file, nullptr, 1, bad, 4, 0); });
    RequireError(EFAULT, "splice", [&] { return splice(ends[0], nullptr, 1, bad, 4, 0); });
    Require(splice(ends[0], nullptr, 1, nullptr, 5, 0) == 5, "nothing was taken before");
  });
  EXPECT_EQ(Join(seen.captured(), Stream::kStdout), "piped");
}

// A page that can be read, from which was printed before it was taken away.
void ExpectErrorAfter(const char* how, void (*take_away)(char* page)) {
  SCOPED_TRACE(how);
  const Observation seen = Observe([=](Recorder& sink) {
    auto* const page = static_cast<char*>(Pages::Map(kPage, PROT_READ | PROT_WRITE));
    page[0] = 'x';
    const Scope scope(&sink);
    Require(write(1, page, 1) == 1, "it can be read");
    take_away(page);
    RequireError(EFAULT, how, [=] { return write(1, page, 1); });
    const iovec part{page, 1};
    RequireError(EFAULT, how, [&] { return writev(1, &part, 1); });
  });
  EXPECT_EQ(Join(seen.captured(), Stream::kStdout), "x");
}

TEST(Errors, PagesThatWereTakenAway) {
  ExpectErrorAfter("munmap", [](char* page) { munmap(page, kPage); });
  ExpectErrorAfter("SYS_munmap", [](char* page) { syscall(SYS_munmap, page, kPage); });
  ExpectErrorAfter("munmap elsewhere",
                   [](char* page) { std::thread([=] { munmap(page, kPage); }).join(); });
  ExpectErrorAfter("mprotect", [](char* page) { mprotect(page, kPage, PROT_NONE); });
  ExpectErrorAfter("mremap", [](char* page) {
    void* const place = Pages::Map(kPage, PROT_NONE);
    Require(mremap(page, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place, "it moves");
  });
  ExpectErrorAfter("shmdt", [](char* page) {
    const int segment = shmget(IPC_PRIVATE, kPage, 0600);
    Require(shmat(segment, page, SHM_REMAP) == page, "it is replaced");
    shmctl(segment, IPC_RMID, nullptr);
    Require(write(1, page, 0) == 0 && shmdt(page) == 0, "and taken away");
  });
}

}  // namespace
}  // namespace jobtail::capture
