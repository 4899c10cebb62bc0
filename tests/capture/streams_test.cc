// What scopes leave behind: nothing. And who may open and end them.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <iostream>
#include <locale>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "capture/context.h"
#include "capture/scope.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// All that a program can see of its streams and descriptors.
class Streams {
 public:
  Streams() {
    Note(std::cout), Note(std::cerr), Note(std::clog);
    Note(std::wcout), Note(std::wcerr), Note(std::wclog);
    for (FILE* file : {stdout, stderr}) {
      numbers_.insert(numbers_.end(), {__fbufsize(file), static_cast<size_t>(__flbf(file)),
                                       static_cast<size_t>(fileno(file))});
      pointers_.push_back(file);
    }
    for (const int fd : {1, 2}) {
      struct stat info;
      fstat(fd, &info);
      numbers_.insert(numbers_.end(),
                      {info.st_dev, info.st_ino, static_cast<size_t>(fcntl(fd, F_GETFL)),
                       static_cast<size_t>(fcntl(fd, F_GETFD))});
    }
  }

  bool operator==(const Streams&) const = default;

 private:
  template <typename Char>
  void Note(std::basic_ostream<Char>& out) {
    pointers_.push_back(out.rdbuf());
    pointers_.push_back(out.tie());
    numbers_.insert(numbers_.end(),
                    {static_cast<size_t>(out.flags()), static_cast<size_t>(out.rdstate()),
                     static_cast<size_t>(out.exceptions()), static_cast<size_t>(out.precision())});
  }

  std::vector<const void*> pointers_;
  std::vector<size_t> numbers_;
};

struct Setting {
  const char* name;
  bool synced;
  Options options;
};

class ScopeLeaves : public ::testing::TestWithParam<Setting> {};

TEST_P(ScopeLeaves, EveryStreamAsItWas) {
#if defined(__SANITIZE_THREAD__)
  if (GetParam().options.private_descriptors) {
    GTEST_SKIP() << "ThreadSanitizer takes equal descriptors in different tables for one";
  }
#endif
  const Observation seen = Observe([](Recorder& sink) {
    std::ios::sync_with_stdio(GetParam().synced);
    std::cout.exceptions(std::ios::badbit);
    std::cerr.setstate(std::ios::failbit);
    std::cout << std::hex;
    printf("half ");
    const Streams before;
    // A thread of its own, for those options that change a thread for good.
    std::thread([&] {
      const Streams inside_before;
      for (int i = 0; i < 3; ++i) {
        Scope scope(&sink, GetParam().options);
        printf("captured\n");
        setvbuf(stdout, nullptr, _IONBF, 0);
        setvbuf(stderr, nullptr, _IOFBF, 1 << 16);
        Scope inner(&sink);
        std::wcout << L"captured, too\n";
        if (i == 1) fclose(stdout);
      }
      Require(Streams() == inside_before, "the scope's thread finds its streams as they were");
    }).join();
    Require(Streams() == before, "the program finds its streams as they were");
    printf("a line\n");
    std::cout << 255 << '\n';
  });
  EXPECT_THAT(seen.captured(),
              ElementsAre(Out("captured"), Out("captured, too"), Out("captured"),
                          Out("captured, too"), Out("captured"), Out("captured, too")));
  EXPECT_THAT(seen.out, HasSubstr("half a line\n"));
  EXPECT_THAT(seen.out, HasSubstr("ff\n"));
}

INSTANTIATE_TEST_SUITE_P(
    , ScopeLeaves,
    ::testing::Values(
        Setting{"Synced", true, {}}, Setting{"Unsynced", false, {}},
        Setting{"PrivateDescriptors", true, {.private_descriptors = true}},
        Setting{"ReplacedStdio", true, {.replace_stdio = true}},
        Setting{"Everything", true, {.private_descriptors = true, .replace_stdio = true}}),
    [](const auto& setting) { return setting.param.name; });

// --- From where a scope may be opened

struct PrintsWhileUnwinding {
  explicit PrintsWhileUnwinding(Sink* to) : sink(to) {}
  ~PrintsWhileUnwinding() {
    Scope scope(sink);
    std::cout << "while unwinding, " << std::uncaught_exceptions() << std::endl;
  }
  Sink* const sink;
};

TEST(Scope, MayBeOpenedWhileAnExceptionIsOnItsWay) {
  const Observation seen = ObserveSinks(2, [](std::deque<Recorder>& sinks) {
    try {
      Scope scope(&sinks[0]);
      const PrintsWhileUnwinding printer(&sinks[1]);
      puts("before");
      throw std::runtime_error("on its way");
    } catch (const std::exception& error) {
      Scope scope(&sinks[0]);
      printf("caught: %s\n", error.what());
    }
    puts("after");
  });
  EXPECT_THAT(seen.sinks[0], ElementsAre(Out("before"), Out("caught: on its way")));
  EXPECT_THAT(seen.sinks[1], ElementsAre(Out("while unwinding, 1")));
  EXPECT_EQ(seen.out, "after\n");
}

// The mistake that a coroutine makes that keeps its scope while it changes threads.
TEST(ScopeDeathTest, MustEndOnTheThreadThatOpenedIt) {
  EXPECT_DEATH(
      {
        Recorder sink;
        auto scope = std::make_unique<Scope>(&sink);
        std::thread([&] { scope.reset(); }).join();
      },
      "ended on another thread than it began on. In a coroutine");
}

// A forked child leaves the parent's scope, and may open one of its own. It prints when the
// parent's has ended: before that, it is a child process of a captured thread.
TEST(Scope, EndsQuietlyInAForkedChild) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the child allocates, and GCC 12's AddressSanitizer lets it wait for ever for "
                  "its heap's lock if "
                  "another thread held it at the moment of the fork";
#endif
  const Observation seen = Observe([](Recorder& sink) {
    pid_t child;
    int ended[2];
    Require(pipe(ended) == 0, "a pipe");
    {
      Scope scope(&sink);
      printf("parent's ");
      child = fork();
      char byte;
      if (child == 0) {
        Require(read(ended[0], &byte, 1) == 1, "the parent's scope ends");
        printf("child's\n");
      }
    }
    if (child == 0) {
      Recorder own;
      {
        Scope scope(&own);
        puts("captured in the child");
        std::thread([] { puts("on its thread"); }).join();
        if (fork() == 0) {
          puts("grandchild");
          fflush(stdout);
          _exit(0);
        }
        wait(nullptr);
      }
      puts("after the child's scope");
      fflush(stdout);
      _exit(own.records() == std::vector<Record>{Out("captured in the child"), Out("on its thread"),
                                                 Out("grandchild")}
                ? 0
                : 1);
    }
    Require(write(ended[1], "", 1) == 1, "the child goes on");
    int status = -1;
    waitpid(child, &status, 0);
    Require(status == 0, "the child captured what it printed itself");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(OutPart("parent's ")));
  EXPECT_EQ(seen.out, "child's\nafter the child's scope\n");
}

// Where children are left out, what the job has redirected is redirected for them all the same.
TEST(Scope, LeavesChildProcessesOutIfAsked) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink, {.child_processes = false});
    puts("captured");
    Require(system("echo child") == 0, "a shell runs");
    if (fork() == 0) {
      puts("forked");
      fflush(stdout);
      _exit(0);
    }
    wait(nullptr);
    Require(dup2(1, 2) == 2, "stderr goes where stdout goes");
    Require(system("echo to stderr >&2") == 0, "a shell runs");
    fputs("captured, too\n", stderr);
    // A copy of stdout stays what it is, wherever stdout leads meanwhile.
    const int saved = dup(1);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    Require(dup2(null, 1) == 1, "stdout is redirected");
    if (fork() == 0) {
      Require(write(saved, "to the copy\n", 12) == 12, "the child writes");
      _exit(0);
    }
    wait(nullptr);
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("captured"), Out("captured, too")));
  EXPECT_EQ(seen.out, "child\nforked\nto stderr\nto the copy\n");
  EXPECT_EQ(seen.err, "");
}

// --- The end of the program

struct PrintsWhenDestroyed {
  ~PrintsWhenDestroyed() {
    std::cout << "static destructor" << std::endl;
    puts("and its stdio");
  }
};

TEST(Scope, StaticDestructorsPrintToTheRealDescriptors) {
  const Observation seen = Observe([](Recorder& sink) {
    static const PrintsWhenDestroyed printer;
    atexit([] { puts("atexit"); });
    Scope scope(&sink);
    puts("captured");
    // Still captured when the program ends, as a thread of a library may be.
    std::thread([] { puts("on a thread"); }).join();
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("captured"), Out("on a thread")));
  EXPECT_EQ(seen.out, "atexit\nstatic destructor\nand its stdio\n");
}

// --- Time

// Lines are dated by the system's clock when they are completed, to the microsecond, though it is
// not looked at for each.
TEST(Scope, DatesAreTheSystemClocks) {
  struct Dates : Sink {
    void Write(std::span<const Line> lines) noexcept override {
      for (const Line& line : lines) times.push_back(line.time_unix_nanos);
    }
    bool TryWrite(std::span<const Line> lines) noexcept override {
      Write(lines);
      return true;
    }
    std::vector<int64_t> times;
  };
  const auto now = [] {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  const Observation seen = Observe([&](Recorder&) {
    Dates dates;
    std::vector<int64_t> before;
    std::vector<int64_t> after;
    {
      Scope scope(&dates);
      for (int i = 0; i < 100'000; ++i) {
        before.push_back(now());
        puts("x");
        after.push_back(now());
      }
    }
    Require(std::ranges::is_sorted(dates.times), "time goes on");
    constexpr int64_t kTolerance = 2'000;
    for (size_t i = 0; i < before.size(); ++i) {
      Require(before[i] - kTolerance <= dates.times[i], "a line is not dated before it came");
      Require(dates.times[i] <= after[i] + kTolerance, "a line is not dated after it came");
    }
  });
  EXPECT_THAT(seen.captured(), IsEmpty());
}

// --- Many

// Ten thousand scopes on 64 threads, with children and threads of theirs in between.
TEST(Scope, ManyThousandsOnManyThreads) {
  constexpr int kThreads = 64;
  constexpr int kScopes = 10'000 / kThreads + 1;
  const Observation seen = ObserveSinks(kThreads, [](std::deque<Recorder>& sinks) {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&sink = sinks[static_cast<size_t>(t)], t] {
        for (int i = 0; i < kScopes; ++i) {
          Scope scope(&sink);
          printf("%d %d\n", t, i);
          if (i % 40 == 0) std::thread([=] { printf("%d %d thread\n", t, i); }).join();
          if (i % 80 == 1) Bind([=] { std::cerr << t << " " << i << " bound\n"; })();
          Scope inner(&sink);
          printf("%d %d inner", t, i);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  for (int t = 0; t < kThreads; ++t) {
    std::vector<Record> expected;
    for (int i = 0; i < kScopes; ++i) {
      const std::string name = std::to_string(t) + " " + std::to_string(i);
      expected.push_back(Out(name));
      if (i % 40 == 0) expected.push_back(Out(name + " thread"));
      if (i % 80 == 1) expected.push_back(Err(name + " bound"));
      expected.push_back(OutPart(name + " inner"));
    }
    EXPECT_EQ(seen.sinks[static_cast<size_t>(t)], expected);
  }
  EXPECT_EQ(seen.out + seen.err, "");
}

}  // namespace
}  // namespace jobtail::capture
