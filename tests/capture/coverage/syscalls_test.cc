// What reaches a descriptor without write(2): transfers between descriptors, and system calls made
// without the C library's function for them.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include "tests/capture/coverage/row.h"

namespace jobtail::capture {
namespace {

// A file in memory that holds the tag as a line and has been read by nobody.
class FileOf {
 public:
  explicit FileOf(const Tag& tag) : size(static_cast<ssize_t>(tag.line().size())) {
    fd = memfd_create("line", MFD_CLOEXEC);
    Require(pwrite(fd, tag.line().data(), size, 0) == size, "the file is written");
  }
  ~FileOf() { close(fd); }

  int fd;
  const ssize_t size;
};

// The same as a pipe.
class PipeOf {
 public:
  explicit PipeOf(const Tag& tag) : size(static_cast<ssize_t>(tag.line().size())) {
    int ends[2];
    Require(pipe2(ends, O_CLOEXEC) == 0, "a pipe opens");
    fd = ends[0];
    Require(write(ends[1], tag.line().data(), size) == size, "the pipe is written");
    close(ends[1]);
  }
  ~PipeOf() { close(fd); }

  int fd;
  const ssize_t size;
};

TEST(Syscalls, Sendfile) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const FileOf file(tag);
                                 off_t offset = 0;
                                 Require(sendfile(1, file.fd, &offset, file.size) == file.size,
                                         "the file is sent to stdout");
                                 Require(offset == file.size, "the offset has moved");
                                 Require(sendfile(2, file.fd, nullptr, 1000) == file.size,
                                         "the file is sent to stderr");
                               },
                               OnBoth}});
}

TEST(Syscalls, Splice) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    const PipeOf pipe(tag);
                    Require(splice(pipe.fd, nullptr, 1, nullptr, 1000, 0) == pipe.size,
                            "the pipe is spliced to stdout");
                  }}});
}

TEST(Syscalls, CopyFileRange) {
  ExpectCaptured(
      {.captured = {[](const Tag& tag) {
                      const FileOf file(tag);
                      off_t from = 0;
                      off_t to = 7;
                      Require(copy_file_range(file.fd, &from, 1, &to, 1000, 0) == file.size,
                              "the file is copied to stdout");
                      Require(from == file.size && to == 7 + file.size, "the offsets have moved");
                      Require(copy_file_range(file.fd, nullptr, 1, nullptr, 1000, 1) == -1 &&
                                  errno == EINVAL,
                              "there are no flags");
                      Require(syscall(SYS_copy_file_range, file.fd, nullptr, 2, nullptr, 1000, 0) ==
                                  file.size,
                              "the file is copied to stderr");
                    },
                    OnBoth},
       .uncaptured = Plainly()});
}

// Whatever the process's stdout is, a file perhaps.
TEST(Syscalls, SpliceToAnOffset) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    const PipeOf pipe(tag);
                    off_t to = 0;
                    Require(
                        splice(pipe.fd, nullptr, 1, &to, 1000, 0) == pipe.size && to == pipe.size,
                        "the pipe is spliced to stdout");
                  }},
                  .uncaptured = Plainly()});
}

// What tee leaves in the pipe is printed again.
TEST(Syscalls, Tee) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const PipeOf pipe(tag);
                                 Require(tee(pipe.fd, 1, 1000, 0) == pipe.size,
                                         "the pipe is copied to stdout");
                                 Require(splice(pipe.fd, nullptr, 2, nullptr, 1000, 0) == pipe.size,
                                         "the pipe still holds the line");
                               },
                               OnBoth}});
}

TEST(Syscalls, Vmsplice) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    const std::string line = tag.line();
                    const iovec part{const_cast<char*>(line.data()), line.size()};
                    Require(vmsplice(1, &part, 1, 0) == static_cast<ssize_t>(line.size()),
                            "the line is spliced to stdout");
                  }},
                  .uncaptured = Plainly()});
}

TEST(Syscalls, SyscallFunction) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const std::string line = tag.line();
                                 const auto size = static_cast<long>(line.size());
                                 Require(syscall(SYS_write, 1, line.data(), line.size()) == size,
                                         "SYS_write");
                                 const iovec part{const_cast<char*>(line.data()), line.size()};
                                 Require(syscall(SYS_writev, 2, &part, 1) == size, "SYS_writev");
                               },
                               OnBoth}});
}

TEST(Syscalls, SyscallFunctionForAllThatWrites) {
  ExpectCaptured(
      {.captured = {
           [](const Tag& tag) {
             const std::string line = tag.line();
             const auto size = static_cast<long>(line.size());
             const iovec part{const_cast<char*>(line.data()), line.size()};
             const auto write_by = [&](long fd) {
               Require(syscall(SYS_pwrite64, fd, line.data(), size, 0L) == size, "SYS_pwrite64");
               Require(syscall(SYS_pwritev2, fd, &part, 1L, -1L, 0L, 0L) == size, "SYS_pwritev2");
               syscall(SYS_close, fd);
             };
             write_by(syscall(SYS_dup, 1L));
             write_by(syscall(SYS_fcntl, 1L, F_DUPFD_CLOEXEC, 3L));
             write_by(syscall(SYS_openat, AT_FDCWD, "/dev/stdout", O_WRONLY | O_CLOEXEC, 0L));
           },
           [](const Tag& tag) { return std::vector(6, Out(tag.text)); }},
       .uncaptured = Plainly(),
       .repetitions = 100});
}

#ifdef __x86_64__
// Nothing but the processor's instruction.
long WriteByInstruction(int fd, const void* data, size_t size) {
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "0"(SYS_write), "D"(fd), "S"(data), "d"(size)
               : "rcx", "r11", "memory");
  return result;
}

// Closing all that is open closes nothing by which the thread is captured.
TEST(Syscalls, PrivateDescriptorsOutliveClosefrom) {
  SKIP_PRIVATE_DESCRIPTORS_UNDER_THREAD_SANITIZER();
  const Observation seen = Observe([](Recorder& sink) {
    std::thread([&] {
      const Scope scope(&sink, {.private_descriptors = true});
      closefrom(3);
      for (int fd = 3; fd < 100; ++fd) close(fd);
      puts("after");
      Require(WriteByInstruction(1, "after\n", 6) == 6, "the pipe is read");
    }).join();
  });
  EXPECT_EQ(seen.captured(), (std::vector{Out("after"), Out("after")}));
}

void PrintByInstruction(const Tag& tag) {
  const std::string line = tag.line();
  for (const int fd : {1, 2}) {
    Require(WriteByInstruction(fd, line.data(), line.size()) == static_cast<long>(line.size()),
            "the instruction writes the line");
  }
}

TEST(Syscalls, InstructionWithPrivateDescriptors) {
  SKIP_PRIVATE_DESCRIPTORS_UNDER_THREAD_SANITIZER();
  ExpectCaptured({.captured = {PrintByInstruction, OnBoth, Order::kPerStream},
                  .options = {.private_descriptors = true}});
}

// What the option is for: by default, these reach the real descriptors.
TEST(Syscalls, InstructionIsNotSeenByDefault) {
  const Row row{.captured = {PrintByInstruction, OnBoth}, .uncaptured = Plainly()};
  const Observation seen = RunRow(row);
  for (int t = 0; t < kThreads; ++t) ExpectSink(seen, t, {});
  EXPECT_NE(seen.out.find(Tag(0, row.repetitions - 1).line()), std::string::npos);
}
#else
TEST(Syscalls, InstructionWithPrivateDescriptors) {
  GTEST_SKIP() << "the instruction is written for x86-64";
}
#endif

}  // namespace
}  // namespace jobtail::capture
