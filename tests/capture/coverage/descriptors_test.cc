// System calls on descriptors 1 and 2, on copies of them, and on files that are the same as they.
// Built twice, the second time with -O2 -D_FORTIFY_SOURCE=2 -D_FILE_OFFSET_BITS=64, which turns
// many of them into calls of others.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tests/capture/coverage/row.h"

#ifdef WANT_FORTIFY
#define SUITE LargeFileDescriptors
#define NAMES_SUITE LargeFileDescriptorNames
#else
#define SUITE Descriptors
#define NAMES_SUITE DescriptorNames
#endif

namespace jobtail::capture {
namespace {

void WriteLine(int fd, const Tag& tag) {
  const std::string line = tag.line();
  Require(write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()),
          "the line is written");
}

std::vector<Record> OnStderrThenStdout(const Tag& tag) { return {Err(tag.text), Out(tag.text)}; }

TEST(SUITE, Write) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 WriteLine(2, tag);
                                 WriteLine(1, tag);
                               },
                               OnStderrThenStdout}});
}

// A line in three parts, for the calls that take several.
struct Parts {
  explicit Parts(const Tag& tag)
      : thread(std::to_string(tag.thread)), repetition(std::to_string(tag.repetition) + "\n") {
    vector[0] = {thread.data(), thread.size()};
    vector[1] = {const_cast<char*>(":"), 1};
    vector[2] = {repetition.data(), repetition.size()};
    size = static_cast<ssize_t>(tag.line().size());
  }

  std::string thread;
  std::string repetition;
  iovec vector[3];
  ssize_t size;
};

TEST(SUITE, Writev) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const Parts parts(tag);
                                 Require(writev(1, parts.vector, 3) == parts.size, "writev to 1");
                                 Require(writev(2, parts.vector, 3) == parts.size, "writev to 2");
                               },
                               OnBoth}});
}

// At an offset: a captured stdout takes them as they come, as a terminal does.
TEST(SUITE, PwriteAndPwritev) {
  ExpectCaptured(
      {.captured = {[](const Tag& tag) {
                      const Parts parts(tag);
                      const std::string line = tag.line();
                      Require(pwrite(1, line.data(), line.size(), 0) == parts.size, "pwrite");
                      Require(pwritev(2, parts.vector, 3, 0) == parts.size, "pwritev");
                      Require(pwritev2(1, parts.vector, 3, 0, 0) == parts.size, "pwritev2");
                    },
                    [](const Tag& tag) {
                      return std::vector{Out(tag.text), Err(tag.text), Out(tag.text)};
                    }},
       .uncaptured = Plainly()});
}

TEST(SUITE, Pwritev2AtTheCurrentOffset) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    const Parts parts(tag);
                    Require(pwritev2(1, parts.vector, 3, -1, 0) == parts.size, "pwritev2");
                  }}});
}

// --- copies

void Close(int fd) { Require(close(fd) == 0, "the copy is closed"); }

TEST(SUITE, Dup) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const int out = dup(1);
                                 const int err = dup(2);
                                 WriteLine(out, tag);
                                 WriteLine(err, tag);
                                 Close(out);
                                 Close(err);
                               },
                               OnBoth}});
}

TEST(SUITE, CopyOfACopy) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const int first = dup(1);
                                 const int second = dup(first);
                                 Close(first);
                                 WriteLine(second, tag);
                                 dprintf(second, "%s\n", tag.c_str());
                                 Close(second);
                               },
                               TwiceOnStdout}});
}

TEST(SUITE, Dup2AndDup3) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const int target = 100 + 2 * tag.thread;
                                 Require(dup2(1, target) == target, "dup2");
                                 Require(dup3(2, target + 1, O_CLOEXEC) == target + 1, "dup3");
                                 WriteLine(target, tag);
                                 WriteLine(target + 1, tag);
                                 Close(target);
                                 Close(target + 1);
                               },
                               OnBoth}});
}

TEST(SUITE, Fcntl) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const int out = fcntl(1, F_DUPFD, 200);
                                 const int err = fcntl(2, F_DUPFD_CLOEXEC, 200);
                                 Require(out >= 200 && err >= 200, "fcntl copies");
                                 WriteLine(out, tag);
                                 WriteLine(err, tag);
                                 Close(out);
                                 Close(err);
                               },
                               OnBoth}});
}

// A copy that lasts as long as the run.
TEST(SUITE, CopyOfLongStanding) {
  static thread_local int copy = -1;
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    if (copy < 0) copy = dup(1);
                    WriteLine(copy, tag);
                  }}});
}

// The number of a copy that was closed is an ordinary one again.
TEST(SUITE, NumberOfAClosedCopy) {
  const Way way{[](const Tag& tag) {
    const int number = 100 + tag.thread;
    Require(dup2(1, number) == number, "dup2");
    WriteLine(number, tag);
    Close(number);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    Require(dup2(null, number) == number, "dup2");
    WriteLine(number, tag);
    Close(number);
    Close(null);
  }};
  ExpectCaptured({.captured = way});
}

// --- names

class NAMES_SUITE : public ::testing::TestWithParam<const char*> {};

TEST_P(NAMES_SUITE, OpenAndOpenat) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const volatile int flags =
                                     O_WRONLY | O_CLOEXEC;  // no constant: fortified
                                 const int opened = open(GetParam(), flags);
                                 Require(opened >= 0, "the name opens");
                                 WriteLine(opened, tag);
                                 Close(opened);
                                 const int at = openat(AT_FDCWD, GetParam(), flags);
                                 Require(at >= 0, "the name opens");
                                 WriteLine(at, tag);
                                 Close(at);
                               },
                               TwiceOnStdout}});
}

TEST_P(NAMES_SUITE, Fopen) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    FILE* const file = fopen(GetParam(), "w");
                    Require(file != nullptr, "the name opens");
                    fprintf(file, "%d:", tag.thread);
                    fprintf(file, "%d\n", tag.repetition);
                    Require(fclose(file) == 0, "the file is closed");
                  }}});
}

TEST_P(NAMES_SUITE, Ofstream) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    std::ofstream file(GetParam());
                    file << tag.thread << ':' << tag.repetition << std::endl;
                    Require(file.good(), "the line is written");
                  }}});
}

std::string NameOf(const ::testing::TestParamInfo<const char*>& info) {
  std::string name;
  for (const char c : std::string(info.param)) {
    name += isalnum(static_cast<unsigned char>(c)) ? c : '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Coverage, NAMES_SUITE,
                         ::testing::Values("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1",
                                           "//dev//stdout", "/proc/thread-self/fd/1"),
                         NameOf);

// In each way that there is besides.
TEST(SUITE, OtherNamesOfStdout) {
  const auto print = [](int fd, const Tag& tag) {
    Require(fd >= 0, "the name opens");
    WriteLine(fd, tag);
    Close(fd);
  };
  const volatile int flags = O_WRONLY | O_CLOEXEC;
  ExpectCaptured(
      {.captured = {[&](const Tag& tag) {
                      print(open(TemporaryPath(0).c_str(), flags), tag);
                      print(open(TemporaryPath(1).c_str(), flags), tag);
                      const int dev = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                      print(openat(dev, "stdout", flags), tag);
                      Close(dev);
                      const std::string own = "/proc/" + std::to_string(getpid()) + "/task/" +
                                              std::to_string(gettid()) + "/fd/1";
                      print(open(own.c_str(), flags), tag);
                    },
                    [](const Tag& tag) { return std::vector(4, Out(tag.text)); }},
       .before = [] {
         Require(symlink("/dev/stdout", TemporaryPath(0).c_str()) == 0, "a link");
         Require(symlink(TemporaryPath(0).c_str(), TemporaryPath(1).c_str()) == 0, "a link to it");
       }});
}

TEST(SUITE, DevStderr) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 std::ofstream file("/dev/stderr");
                                 file << tag.text << '\n';
                               },
                               OnStderr}});
}

TEST(SUITE, Fdopen) {
  static thread_local FILE* file = nullptr;
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    if (!file) file = fdopen(1, "w");
                    fprintf(file, "%d:%d\n", tag.thread, tag.repetition);
                    Require(fflush(file) == 0, "the stream is flushed");
                  }}});
}

TEST(SUITE, FdopenOfACopy) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 FILE* const copy = fdopen(dup(2), "w");
                                 Require(copy != nullptr, "fdopen opens the copy");
                                 fputs(tag.line().c_str(), copy);
                                 Require(fclose(copy) == 0, "the copy is closed");
                               },
                               OnStderr}});
}

}  // namespace
}  // namespace jobtail::capture
