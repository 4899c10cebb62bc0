// Text without a terminator: when it is shown before the line is complete, and when not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

using ::testing::ElementsAre;
using Clock = std::chrono::steady_clock;

auto Has(size_t count) {
  return [count](const std::vector<Record>& records) { return records.size() >= count; };
}

TEST(PartialLines, AreShownWhenFlushed) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    printf("fflush? ");
    fflush(stdout);
    std::cout << "flush? " << std::flush;
    printf("all? ");
    fflush(nullptr);
    puts("yes");
  });
  EXPECT_THAT(seen.captured(),
              ElementsAre(OutPart("fflush? "), OutPart("flush? "), OutPart("all? "), Out("yes")));
}

TEST(PartialLines, OfUnsyncedStreamsAreShownWhenFlushed) {
  const Observation seen = Observe([](Recorder& sink) {
    std::ios::sync_with_stdio(false);
    Scope scope(&sink);
    std::cout << "flush? " << std::flush << "yes" << std::endl;
  });
  EXPECT_THAT(seen.captured(), ElementsAre(OutPart("flush? "), Out("yes")));
}

TEST(PartialLines, FlushOfNothingShowsNothing) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    fflush(stdout);
    std::cout << std::flush << "line" << std::endl << std::flush;
    fflush(stderr);
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("line")));
}

// Streams that flush after every output ask for nothing by it: their lines come whole.
TEST(PartialLines, AutomaticFlushingDoesNotTearLines) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    std::cerr << "cerr " << 1 << ' ' << 2.5 << "\n";
    std::cout << std::unitbuf << "cout " << 3 << ' ' << 4.5 << "\n" << std::nounitbuf;
    fprintf(stderr, "stderr ");
    fflush(stderr);
    fprintf(stderr, "%d\n", 5);
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Err("cerr 1 2.5"), Out("cout 3 4.5"), Err("stderr 5")));
}

TEST(PartialLines, OfUnsyncedStreamsAreNotTornByAutomaticFlushing) {
  const Observation seen = Observe([](Recorder& sink) {
    std::ios::sync_with_stdio(false);
    Scope scope(&sink);
    std::cerr << "cerr " << 1 << ' ' << 2.5 << "\n";
    std::cout << std::unitbuf << "cout " << 3 << ' ' << 4.5 << "\n" << std::nounitbuf;
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Err("cerr 1 2.5"), Out("cout 3 4.5")));
}

TEST(PartialLines, AreShownOnceTheyHaveWaited) {
  const Observation seen = Observe([](Recorder& sink) {
    sink.TakeWaitingText();
    Scope scope(&sink);
    const auto before = Clock::now();
    printf("name? ");
    sink.WaitFor(Has(1));
    Require(Clock::now() - before >= kPartialDelay, "it has waited as long as it should");
    fprintf(stderr, "on stderr, too ");
    sink.WaitFor(Has(2));
    puts("Ada");
  });
  EXPECT_THAT(seen.captured(),
              ElementsAre(OutPart("name? "), ErrPart("on stderr, too "), Out("Ada")));
}

// Again and again, after times when there was nothing to wait for.
TEST(PartialLines, AreShownEveryTime) {
  const Observation seen = Observe([](Recorder& sink) {
    sink.TakeWaitingText();
    Scope scope(&sink);
    for (size_t i = 1; i <= 3; ++i) {
      printf("%zu ", i);
      sink.WaitFor(Has(i));
    }
  });
  EXPECT_THAT(seen.captured(), ElementsAre(OutPart("1 "), OutPart("2 "), OutPart("3 ")));
}

TEST(PartialLines, AreShownOnEveryThread) {
  const Observation seen = Observe([](Recorder& sink) {
    sink.TakeWaitingText();
    Scope scope(&sink);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        printf("waiting");
        sink.WaitFor(Has(4));
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  EXPECT_EQ(seen.captured(), std::vector<Record>(4, OutPart("waiting")));
}

// A sink that is busy is asked again.
TEST(PartialLines, AreShownOnceTheSinkTakesThem) {
  struct BusyAtFirst : Recorder {
    bool TryWrite(std::span<const Line> lines) noexcept override {
      if (++asked < 3) return false;
      Write(lines);
      return true;
    }
    std::atomic<int> asked = 0;
  };
  const Observation seen = Observe([](Recorder&) {
    BusyAtFirst sink;
    Scope scope(&sink);
    printf("patient");
    sink.WaitFor(Has(1));
    Require(sink.asked == 3, "the sink was asked until it took the text");
  });
  EXPECT_EQ(seen.out, "");
}

// Text that comes slowly, in pieces, is shown in pieces; put together, it is what was printed.
TEST(PartialLines, PutTogetherAreWhatWasPrinted) {
  const Observation seen = Observe([](Recorder& sink) {
    sink.TakeWaitingText();
    Scope scope(&sink);
    for (int i = 0; i < 200; ++i) {
      printf("%d", i);
      if (i % 10 == 0) putchar('\n');
      if (i % 7 == 0) fflush(stdout);
      if (i == 50 || i == 150) {
        const size_t come = sink.records().size();
        printf("wait");
        sink.WaitFor(Has(come + 1));
      }
    }
  });
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    expected += std::to_string(i);
    if (i % 10 == 0) expected += "\n";
    if (i == 50 || i == 150) expected += "wait";
  }
  EXPECT_EQ(Join(seen.captured(), Stream::kStdout), expected);
}

// The flusher meets threads and scopes that come and go.
TEST(PartialLines, OfShortLivedScopesArriveOnce) {
  const Observation seen = Observe([](Recorder& sink) {
    sink.TakeWaitingText();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&sink] {
        const auto end = Clock::now() + 3 * kPartialDelay;
        while (Clock::now() < end) {
          Scope scope(&sink);
          std::thread([] { printf("t"); }).join();
          printf("s");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  const auto count = [&](const char* text) {
    return std::ranges::count(seen.captured(), OutPart(text));
  };
  EXPECT_GT(count("s"), 0);
  EXPECT_EQ(count("s"), count("t"));
  EXPECT_EQ(static_cast<size_t>(count("s") + count("t")), seen.captured().size());
  EXPECT_EQ(seen.out, "");
}

}  // namespace
}  // namespace jobtail::capture
