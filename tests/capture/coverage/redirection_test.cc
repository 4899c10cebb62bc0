// What a job may do to stdout and stderr themselves: it does it to its own run's alone.

#include <err.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/capture/coverage/row.h"

namespace jobtail::capture {
namespace {

constexpr int kRepetitions = 200;

bool IsSecondHalf(const Tag& tag) { return tag.repetition >= kRepetitions / 2; }

// What a row's print does in the middle of it, once.
bool IsMiddle(const Tag& tag) { return tag.repetition == kRepetitions / 2; }

Way Stdio() {
  return {[](const Tag& tag) {
            puts(tag.c_str());
            fputs(tag.line().c_str(), stderr);
          },
          OnBoth};
}

// Prints as Stdio() does, after having called `change` in the middle.
Way StdioWith(std::function<void(const Tag& tag)> change, Lines lines = OnBoth) {
  return {[=](const Tag& tag) {
            if (IsMiddle(tag)) change(tag);
            Stdio().print(tag);
          },
          std::move(lines)};
}

// From the middle on, stdout is silent or elsewhere; stderr is as it was.
std::vector<Record> OnStdoutOnlyAtFirst(const Tag& tag) {
  return IsSecondHalf(tag) ? OnStderr(tag) : OnBoth(tag);
}

// What a file that took the second half of the thread's stdout holds.
std::string SecondHalf(int thread) {
  std::string text;
  for (int i = kRepetitions / 2; i < kRepetitions; ++i) text += Tag(thread, i).line();
  return text;
}

void RequireSecondHalfInFile(int thread, Recorder&) {
  Require(ReadFile(TemporaryPath(thread)) == SecondHalf(thread),
          "the file holds what the thread printed from then on");
}

// The row that takes the second half of each thread's stdout to a file.
Row ToFileFromTheMiddle(std::function<void(const Tag& tag)> change) {
  return {.captured = StdioWith(std::move(change), OnStdoutOnlyAtFirst),
          .uncaptured = Stdio(),
          .repetitions = kRepetitions,
          .end = [](int) { Require(fflush(stdout) == 0, "stdout is flushed"); },
          .leave = RequireSecondHalfInFile};
}

TEST(Redirection, SetvbufLeavesTheRealBuffersAsTheyWere) {
  static std::array<char, 1024> buffer;
  static size_t size = 0;
  for (const int mode : {_IONBF, _IOLBF, _IOFBF}) {
    SCOPED_TRACE(mode);
    ExpectCaptured({.captured = StdioWith([mode](const Tag&) {
                      char* const own = mode == _IOFBF ? buffer.data() : nullptr;
                      const size_t own_size = mode == _IOFBF ? buffer.size() : 0;
                      Require(setvbuf(stdout, own, mode, own_size) == 0, "setvbuf succeeds");
                    }),
                    .uncaptured = Stdio(),
                    .repetitions = kRepetitions,
                    .before =
                        [] {
                          fputs("", stdout);
                          size = __fbufsize(stdout);
                        },
                    .after =
                        [] {
                          Require(__fbufsize(stdout) == size, "the buffer is as large as before");
                          Require(!__flbf(stdout), "stdout, a pipe, is not line-buffered");
                        }});
  }
}

TEST(Redirection, SetbufAndSetlinebuf) {
  ExpectCaptured(
      {.captured = StdioWith([](const Tag&) {
         setbuf(stdout, nullptr);
         setlinebuf(stdout);
       }),
       .uncaptured = Stdio(),
       .repetitions = kRepetitions,
       .after = [] { Require(!__flbf(stdout), "stdout, a pipe, is not line-buffered"); }});
}

TEST(Redirection, FreopenOfDevStdoutStaysCaptured) {
  ExpectCaptured({.captured = StdioWith([](const Tag&) {
                    Require(freopen("/dev/stdout", "w", stdout) == stdout, "stdout is reopened");
                    Require(freopen(nullptr, "w", stderr) == stderr, "stderr is reopened");
                  }),
                  .uncaptured = Stdio(),
                  .repetitions = kRepetitions});
}

TEST(Redirection, FreopenToAFileIsForTheRunAlone) {
  ExpectCaptured(ToFileFromTheMiddle([](const Tag& tag) {
    Require(freopen(TemporaryPath(tag.thread).c_str(), "w", stdout) == stdout,
            "stdout is reopened");
  }));
}

TEST(Redirection, FreopenToAFileAndBackToDevStdout) {
  Row row = ToFileFromTheMiddle([](const Tag& tag) {
    Require(freopen(TemporaryPath(tag.thread).c_str(), "w", stdout) == stdout,
            "stdout is reopened");
  });
  row.end = [](int) {
    fflush(stdout);
    Require(freopen("/dev/null", "w", stdout) == stdout, "stdout is reopened");
    puts("to nobody");
  };
  ExpectCaptured(row);
}

TEST(Redirection, FcloseOfStdoutSilencesTheRunAlone) {
  ExpectCaptured({.captured = StdioWith([](const Tag&) { fclose(stdout); }, OnStdoutOnlyAtFirst),
                  .uncaptured = Stdio(),
                  .repetitions = kRepetitions});
}

TEST(Redirection, CloseOf1SilencesTheRunAlone) {
  const Way way{[](const Tag& tag) {
                  const std::string line = tag.line();
                  if (IsMiddle(tag)) Require(close(1) == 0, "descriptor 1 is closed");
                  const ssize_t written = write(1, line.data(), line.size());
                  Require((written < 0) == IsSecondHalf(tag), "writing fails once 1 is closed");
                  fputs(line.c_str(), stderr);
                },
                OnStdoutOnlyAtFirst};
  ExpectCaptured({.captured = way, .uncaptured = Plainly(), .repetitions = kRepetitions});
}

int OpenFileOf(int thread) {
  const int file =
      open(TemporaryPath(thread).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  Require(file >= 0, "a temporary file opens");
  return file;
}

TEST(Redirection, Dup2OfAFileOnto1IsForTheRunAlone) {
  ExpectCaptured(ToFileFromTheMiddle([](const Tag& tag) {
    const int file = OpenFileOf(tag.thread);
    Require(dup2(file, 1) == 1, "the file takes stdout's place");
    close(file);
  }));
}

// In between, the copy that was made before is still stdout, and one that is made now is the file.
TEST(Redirection, Dup2OfAFileOnto1AndBackAgain) {
  const Way way{[](const Tag& tag) {
                  const int saved = dup(1);
                  const int file = open(TemporaryPath(tag.thread).c_str(),
                                        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
                  Require(file >= 0 && saved >= 0, "descriptors open");
                  dprintf(1, "before\n");
                  Require(dup2(file, 1) == 1, "the file takes stdout's place");
                  const int copy = dup(1);
                  dprintf(1, "to the file\n");
                  dprintf(copy, "to the file, by a copy\n");
                  dprintf(saved, "to the copy\n");
                  Require(dup2(saved, 1) == 1, "stdout comes back");
                  close(saved);
                  close(file);
                  close(copy);
                  dprintf(1, "%s\n", tag.c_str());
                },
                [](const Tag& tag) {
                  return std::vector{Out("before"), Out("to the copy"), Out(tag.text)};
                }};
  ExpectCaptured({.captured = way,
                  .uncaptured = Plainly(),
                  .repetitions = kRepetitions,
                  .leave = [](int thread, Recorder&) {
                    std::string expected;
                    for (int i = 0; i < kRepetitions; ++i) {
                      expected += "to the file\nto the file, by a copy\n";
                    }
                    Require(ReadFile(TemporaryPath(thread)) == expected, "the file has its lines");
                  }});
}

// The same with streams, which are flushed in between.
TEST(Redirection, StreamsWithDup2OfAFileOnto1AndBackAgain) {
  const Way way{[](const Tag& tag) {
                  const int saved = dup(1);
                  puts("before");
                  fflush(stdout);
                  const int file = OpenFileOf(tag.thread);
                  Require(dup2(file, 1) == 1, "the file takes stdout's place");
                  std::cout << "to the file" << std::endl;
                  Require(dup2(saved, 1) == 1, "stdout comes back");
                  close(saved);
                  close(file);
                  puts(tag.c_str());
                },
                [](const Tag& tag) {
                  return std::vector{Out("before"), Out(tag.text)};
                }};
  ExpectCaptured({.captured = way,
                  .uncaptured = Stdio(),
                  .repetitions = kRepetitions,
                  .leave = [](int thread, Recorder&) {
                    Require(ReadFile(TemporaryPath(thread)) == "to the file\n",
                            "the file has its line");
                  }});
}

// As shells do with 2>&1.
TEST(Redirection, Dup2Of1Onto2) {
  const Way way = StdioWith(
      [](const Tag&) { Require(dup2(1, 2) == 2, "2 becomes 1"); },
      [](const Tag& tag) { return IsSecondHalf(tag) ? TwiceOnStdout(tag) : OnBoth(tag); });
  ExpectCaptured({.captured = way, .uncaptured = Stdio(), .repetitions = kRepetitions});
}

// GoogleTest's own capture, which is for a whole process, used by one of the captured threads.
TEST(Redirection, CaptureStdoutOfGoogleTest) {
  const Way way{[](const Tag& tag) {
    const bool capture = tag.thread == 0 && tag.repetition % 10 == 0;
    if (capture) {
      ::testing::internal::CaptureStdout();
      printf("for GoogleTest %s\n", tag.c_str());
      fflush(stdout);
      Require(::testing::internal::GetCapturedStdout() == "for GoogleTest " + tag.line(),
              "GoogleTest gets what the thread printed");
    }
    puts(tag.c_str());
  }};
  ExpectCaptured({.captured = way, .uncaptured = Stdio(), .repetitions = kRepetitions});
}

// --- What a job asks of its descriptors and streams, and what it makes of them

// A folder for a test's files, which goes with it.
class Folder {
 public:
  Folder() { Require(mkdtemp(path_.data()) != nullptr, "a temporary folder is made"); }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "jobtail-redirection-XXXXXX";
};

// Of a process whose real stdout is a file: `body` is run in a scope, and the file must hold what
// it held before, with what is printed after it.
void ExpectRealFileUntouched(const std::function<void(const std::string& own)>& body) {
  const Folder folder;
  const std::string real = folder.File("real");
  const std::string own = folder.File("own");
  const Observation seen = Observe([&](Recorder& sink) {
    const int file = open(real.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    Require(file >= 0 && dup2(file, 1) == 1, "the real stdout is a file");
    Require(write(1, "before\n", 7) == 7, "the real stdout is written to");
    {
      const Scope scope(&sink);
      body(own);
    }
    Require(write(1, "after\n", 6) == 6, "the real stdout is open");
  });
  EXPECT_EQ(ReadFile(real), "before\nafter\n");
}

TEST(Redirection, FcloseOfAnFdopenedDescriptor) {
  ExpectRealFileUntouched([](const std::string&) {
    FILE* const file = fdopen(1, "w");
    fputs("captured\n", file);
    Require(fclose(file) == 0, "the file is closed");
    Require(write(1, "x", 1) < 0 && errno == EBADF, "and so is the job's 1");
    Require(open("/dev/null", O_RDONLY | O_CLOEXEC) > 2, "the number is not used again");
  });
}

TEST(Redirection, FreopenOfAnFdopenedDescriptor) {
  ExpectRealFileUntouched([](const std::string& own) {
    FILE* const file = fdopen(1, "w");
    Require(freopen(own.c_str(), "w", file) == file, "the file is reopened");
    fputs("by the file\n", file);
    Require(fflush(file) == 0, "the file is flushed");
    Require(ReadFile(own) == "by the file\n", "the file has the line");
  });
}

TEST(Redirection, RangesByTheSystemCall) {
  ExpectRealFileUntouched([](const std::string&) {
    Require(syscall(SYS_close_range, 1U, 2U, 0U) == 0, "both are closed");
    Require(write(1, "x", 1) < 0 && errno == EBADF, "for the job");
    Require(open("/dev/null", O_RDONLY | O_CLOEXEC) > 2, "the numbers are not used again");
  });
}

TEST(Redirection, NamesOfAClosedDescriptor) {
  ExpectRealFileUntouched([](const std::string&) {
    close(1);
    errno = 0;
    Require(open("/dev/stdout", O_WRONLY | O_TRUNC | O_CLOEXEC) < 0 && errno == ENOENT, "open");
    Require(!fopen("/dev/stdout", "w"), "fopen");
    Require(!freopen("/dev/stdout", "w", stdout), "freopen");
  });
}

TEST(Redirection, NamesDoNotTruncateTheRealFile) {
  ExpectRealFileUntouched([](const std::string&) {
    const int fd = creat("/dev/stdout", 0600);
    Require(fd >= 0, "creat");
    Require(write(fd, "captured\n", 9) == 9, "the name is written to");
    close(fd);
    const int read_only = open("/dev/stdout", O_RDONLY | O_TRUNC | O_CLOEXEC);
    if (read_only >= 0) close(read_only);
    Require(ftruncate(1, 0) < 0 && errno == EINVAL, "the sink has no size");
    Require(lseek(1, 0, SEEK_SET) < 0 && errno == ESPIPE, "and no position");
    Require(fseek(stdout, 0, SEEK_SET) < 0 && errno == ESPIPE, "nor has the stream");
    Require(syscall(SYS_ftruncate, 1, 0L) < 0, "by the system call, too");
    Require(truncate("/dev/stdout", 0) < 0 && errno == EINVAL, "nor by its name");
    Require(syscall(SYS_truncate, "/dev/stdout", 0L) < 0, "by that system call");
    Require(syscall(SYS_fallocate, 1, 0, 0L, 100L) < 0 && errno == ESPIPE, "it has no room");
    open_how how = {.flags = O_WRONLY | O_TRUNC | O_CLOEXEC, .mode = 0, .resolve = 0};
    const auto opened =
        static_cast<int>(syscall(SYS_openat2, AT_FDCWD, "/dev/stdout", &how, sizeof(how)));
    Require(opened >= 0 && write(opened, "captured\n", 9) == 9, "openat2");
    close(opened);
  });
}

// What the sink is asked is about no file of the process's.
TEST(Redirection, TheSinkIsAsAPipe) {
  ExpectRealFileUntouched([](const std::string&) {
    struct stat info;
    struct statx more;
    Require(fstat(1, &info) == 0 && S_ISFIFO(info.st_mode) && info.st_size == 0, "fstat");
    Require(statx(1, "", AT_EMPTY_PATH, STATX_SIZE, &more) == 0 && more.stx_size == 0, "statx");
    Require(S_ISFIFO(more.stx_mode), "statx");
    Require(fstatat(1, "", &info, AT_EMPTY_PATH) == 0 && S_ISFIFO(info.st_mode), "fstatat");
    Require(fstatat(AT_FDCWD, "", &info, AT_EMPTY_PATH) == 0 && S_ISDIR(info.st_mode), "a folder");
    const char* volatile bad = reinterpret_cast<const char*>(1);
    Require(fstatat(1, bad, &info, AT_EMPTY_PATH) < 0 && errno == EFAULT, "a bad pointer");
    int on = 1;
    Require(ioctl(1, FIONBIO, &on) == 0, "it never blocks");
    Require((fcntl(1, F_GETFL) & O_NONBLOCK) == 0, "and the process's does as before");
    Require(posix_fallocate(1, 0, 1 << 20) == ESPIPE, "it has no room");
    Require(fchmod(1, 0) == 0 && flock(1, LOCK_EX) == 0, "what is anybody's own can be set");
    fpos_t position;
    Require(fgetpos(stdout, &position) < 0 && errno == ESPIPE, "it has no position");
    std::thread([] { Require(syscall(SYS_flock, 1, LOCK_SH | LOCK_NB) == 0, "no lock"); }).join();
  });
}

TEST(Redirection, DescriptorsAreTheJobsOwnFile) {
  ExpectRealFileUntouched([](const std::string& own) {
    const int file = open(own.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    Require(dup2(file, 1) == 1, "the job redirects its stdout");
    Require(write(1, "12345", 5) == 5, "it is written to");
    struct stat info;
    Require(fstat(1, &info) == 0 && info.st_size == 5, "fstat");
    Require(lseek(1, 0, SEEK_CUR) == 5, "lseek");
    Require(ftruncate(1, 2) == 0 && fstat(1, &info) == 0 && info.st_size == 2, "ftruncate");
    Require((fcntl(1, F_GETFL) & O_ACCMODE) == O_RDWR, "fcntl");
    Require(isatty(1) == 0 && fsync(1) == 0, "the others");
    Require(posix_fallocate(1, 0, 100) == 0 && ReadFile(own).size() == 100, "posix_fallocate");
    Require(ftruncate(1, 2) == 0, "ftruncate");
    struct statx more;
    Require(statx(1, "", AT_EMPTY_PATH, STATX_SIZE, &more) == 0 && more.stx_size == 2, "statx");
    Require(fstatat(1, "", &info, AT_EMPTY_PATH) == 0 && info.st_size == 2, "fstatat");
    Require(syscall(SYS_fstat, 1, &info) == 0 && info.st_size == 2, "SYS_fstat");
    const timespec times[2] = {{.tv_sec = 5, .tv_nsec = 0}, {.tv_sec = 7, .tv_nsec = 0}};
    Require(futimens(1, times) == 0 && fstat(1, &info) == 0 && info.st_mtime == 7, "futimens");
    int unread = -1;
    Require(ioctl(1, FIONREAD, &unread) == 0 && unread == -3, "ioctl");
    Require(lseek(1, 0, SEEK_SET) == 0, "lseek");
    puts("abc");
    Require(ftell(stdout) == 4, "ftell");
    rewind(stdout);
    puts("x");
    fflush(stdout);
    Require(ReadFile(own) == "x\nc\n", "the file has it all");
    const int again = open("/dev/stdout", O_WRONLY | O_TRUNC | O_CLOEXEC);
    Require(again >= 0 && fstat(1, &info) == 0 && info.st_size == 0, "its name truncates it");
    close(again);
    close(1);
    Require(fstat(1, &info) < 0 && errno == EBADF, "closed is closed");
  });
}

// The messages that the C library prints to stderr itself.
TEST(Redirection, MessagesGoWhereStderrLeads) {
  const Folder folder;
  const std::string own = folder.File("own");
  const Observation seen = Observe([&](Recorder& sink) {
    const Scope scope(&sink);
    const int file = open(own.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    Require(dup2(file, 2) == 2, "the job redirects its stderr");
    errno = ENOENT;
    perror("perror");
    warnx("warnx");
    error(0, 0, "error");
    psignal(SIGTERM, "psignal");
    const std::string text = ReadFile(own);
    for (const char* word : {"perror: No such file", "warnx\n", "error\n", "psignal: Terminated"}) {
      Require(text.find(word) != std::string::npos, word);
    }
  });
  EXPECT_EQ(seen.err, "");
  EXPECT_TRUE(seen.captured().empty());
}

}  // namespace
}  // namespace jobtail::capture
