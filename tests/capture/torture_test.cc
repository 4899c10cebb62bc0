// What programs do that are hard on a library that stands between them and the C library.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "capture/context.h"
#include "capture/scope.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A child that prints without end neither keeps its parent from printing nor its scope from ending.
TEST(Torture, AChildThatPrintsWithoutEnd) {
  const Observation seen = Observe([](Recorder& sink) {
    struct Counting : Sink {
      void Write(std::span<const Line> lines) noexcept override { count += lines.size(); }
      bool TryWrite(std::span<const Line> lines) noexcept override { return Write(lines), true; }
      std::atomic<size_t> count = 0;
    };
    Counting counting;
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_t child;
    {
      Scope scope(&counting);
      child = fork();
      if (child == 0) {
        execlp("yes", "yes", nullptr);
        _exit(127);
      }
      for (int i = 0; i < 100; ++i) puts("parent");
      Scope other(&sink);
      Require(system("seq 1 3") == 0, "another scope's child has its turn");
      while (counting.count <= 100) usleep(1000);  // until both have printed
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(null);
    _exit(sink.records() == std::vector<Record>{Out("1"), Out("2"), Out("3")} ? 0 : 1);
  });
  EXPECT_THAT(seen.captured(), IsEmpty());  // it ends without a report: what `yes` printed last
}

// Each pclose ends, though the other command still runs.
TEST(Torture, SeveralPipesAtOnce) {
  const Observation seen = Observe([](Recorder& sink) {
    std::latch opened(1);
    std::latch captured(1);
    std::thread uncaptured([&] {
      FILE* const pipe = popen("cat >/dev/null", "w");
      opened.count_down();
      captured.wait();
      Require(pclose(pipe) == 0, "the uncaptured command ends");
    });
    opened.wait();
    Scope scope(&sink);
    FILE* const first = popen("cat", "w");
    FILE* const second = popen("cat", "w");
    captured.count_down();
    uncaptured.join();
    fputs("first\n", first);
    fputs("second\n", second);
    Require(pclose(first) == 0, "the first command ends");
    Require(pclose(second) == 0, "the second command ends");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("first"), Out("second")));
}

// Uses the stack, and prints from there.
__attribute__((noinline)) void PrintFromDeepInside(int levels) {
  volatile char space[4096];
  std::fill_n(space, sizeof space, static_cast<char>(levels));
  if (levels > 0) return PrintFromDeepInside(levels - 1);
  Require(write(1, "deep\n", 5) == 5, "it prints");
}

TEST(Torture, StackUsedAfterJumpingOutOfAHandler) {
  static sigjmp_buf before;
  const Observation seen = Observe([](Recorder& sink) {
    signal(SIGUSR1, [](int) { siglongjmp(before, 1); });
    Scope scope(&sink);
    if (sigsetjmp(before, 1) == 0) {
      raise(SIGUSR1);
    } else {
      PrintFromDeepInside(20);
    }
    for (int i = 0; i < 1000; ++i)
      puts("a line that is longer than a ring of a thousand could keep");
  });
  EXPECT_EQ(seen.captured().size(), 1001u);
  EXPECT_EQ(seen.out, "");
}

// Handlers that interrupt the library at work are captured, too: no more than are kept until it is
// done.
TEST(Torture, HandlersThatInterruptCapturing) {
  constexpr int kSignals = 1000;
  const Observation seen = Observe([](Recorder& sink) {
    static std::atomic<int> interrupts = 0;
    struct sigaction action {};
    action.sa_flags = SA_RESTART;
    action.sa_handler = [](int) {
      Require(write(1, "handler\n", 8) == 8, "a handler can write");
      ++interrupts;
    };
    sigaction(SIGUSR1, &action, nullptr);
    std::atomic<bool> over = false;
    std::latch opened(1);
    std::thread printer([&] {
      Scope scope(&sink);
      opened.count_down();
      while (!over) puts("line");
    });
    opened.wait();
    for (int i = 0; i < kSignals; ++i) {
      pthread_kill(printer.native_handle(), SIGUSR1);
      while (interrupts.load() <= i) std::this_thread::yield();
    }
    over = true;
    printer.join();
  });
  EXPECT_EQ(std::ranges::count(seen.captured(), Out("handler")), kSignals);
  EXPECT_EQ(seen.out, "");
}

// One thread of a job prints while another one redirects: each line is whole and in one of the two
// places.
TEST(Torture, RedirectingWhileOthersPrint) {
  constexpr int kLines = 20'000;
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    const int saved = dup(1);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    std::atomic<bool> over = false;
    std::thread printer([&] {
      for (int i = 0; i < kLines; ++i) printf("line %d\n", i);
      over = true;
    });
    while (!over) {
      Require(dup2(null, 1) == 1, "stdout is redirected");
      Require(dup2(null, 1) == 1, "and again");
      Require(dup2(saved, 1) == 1, "and led back");
    }
    printer.join();
    puts("end");
  });
  ASSERT_FALSE(seen.captured().empty());
  EXPECT_EQ(seen.captured().back(), Out("end"));
  EXPECT_TRUE(std::ranges::all_of(seen.captured(), [](const Record& record) {
    return record == Out("end") || record.text.starts_with("line ");
  }));
  EXPECT_EQ(seen.out, "");
}

// A job's sink that blocks keeps no other job's unfinished lines or children waiting.
TEST(Torture, ASinkThatBlocks) {
  struct Closed : Sink {
    void Write(std::span<const Line>) noexcept override {
      std::unique_lock lock(mutex);
      opened.wait(lock, [this] { return is_open; });
    }
    bool TryWrite(std::span<const Line>) noexcept override { return false; }
    void Open() {
      std::lock_guard lock(mutex);
      is_open = true;
      opened.notify_all();
    }
    std::mutex mutex;
    std::condition_variable opened;
    bool is_open = false;
  };
  const Observation seen = Observe([](Recorder& sink) {
    Closed closed;
    std::latch begun(1);
    std::thread blocked([&] {
      Scope scope(&closed);
      printf("unfinished");
      if (fork() == 0) {
        puts("child");
        fflush(stdout);
        _exit(0);
      }
      begun.count_down();
      puts(" line");
    });
    begun.wait();
    {
      sink.TakeWaitingText();
      Scope scope(&sink);
      Require(system("echo child of another") == 0, "a shell runs");
      printf("shown by itself");
      sink.WaitFor([](const std::vector<Record>& records) { return records.size() == 2; });
    }
    closed.Open();
    blocked.join();
    wait(nullptr);
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("child of another"), OutPart("shown by itself")));
}

TEST(TortureDeathTest, ScopesEndInTheOrderInWhichTheyWereOpened) {
  EXPECT_DEATH(
      {
        Recorder sink;
        auto outer = std::make_unique<Scope>(&sink);
        auto inner = std::make_unique<Scope>(&sink);
        outer.reset();
      },
      "ended before one that was opened in it");
}

}  // namespace
}  // namespace jobtail::capture
