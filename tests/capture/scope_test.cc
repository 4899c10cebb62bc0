// What a scope covers and for how long: nesting, its end, fork, sinks that print or block.

#include "capture/scope.h"

#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <iostream>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "capture/context.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Scope, CapturesFromItsBeginToItsEnd) {
  const Observation seen = Observe([](Recorder& sink) {
    puts("before");
    {
      Scope scope(&sink);
      puts("during");
      std::cerr << "during, too\n";
    }
    puts("after");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("during"), Err("during, too")));
  EXPECT_EQ(seen.out, "before\nafter\n");
  EXPECT_EQ(seen.err, "");
}

// What lay in stdout's buffer unfinished when the scope began is not the scope's.
TEST(Scope, TextPrintedBeforeStaysWhereItWas) {
  const Observation seen = Observe([](Recorder& sink) {
    printf("half a ");
    {
      Scope scope(&sink);
      printf("captured\n");
    }
    printf("line\n");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("captured")));
  EXPECT_EQ(seen.out, "half a line\n");
}

TEST(Context, IsWhereALibraryPrintsToForWhoeverCalledIt) {
  const Observation seen = Observe([](Recorder& sink) {
    std::promise<Context> given;
    std::thread library([future = given.get_future()]() mutable {
      const Context context = future.get();
      Require(context.Print("one\ntw"), "it prints");
      Require(context.Print("o\n", Stream::kStderr), "to either stream");
      puts("the library's own");
    });
    Context context;
    Require(!context.Print("to nothing\n"), "nothing takes nothing");
    {
      Scope scope(&sink);
      context = Context::Current();
      given.set_value(context);
      library.join();
      printf("half a ");
      Require(context.Print("line\n"), "the thread's own: it goes on with its line");
    }
    Require(!context.Print("too late\n"), "the scope has ended");
  });
  EXPECT_THAT(seen.captured(),
              ElementsAre(Out("one"), OutPart("tw"), Err("o"), Out("half a line")));
  EXPECT_EQ(seen.out, "the library's own\n");
}

TEST(Scope, UnfinishedTextArrivesAtItsEnd) {
  const Observation seen = Observe([](Recorder& sink) {
    {
      Scope scope(&sink);
      printf("out without end");
      fprintf(stderr, "err without end");
    }
    Require(sink.records().size() == 2, "the text has come when the scope has ended");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(OutPart("out without end"), ErrPart("err without end")));
}

TEST(Scope, UnfinishedProgressBarArrivesAtItsEnd) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    printf("10%%\r20%%\r");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("10%", Ending::kCr), Out("20%", Ending::kCr)));
}

// `cerr << "open failed: " << strerror(errno)` must tell what had failed before.
TEST(Scope, PrintingKeepsErrno) {
  struct Careless : Sink {
    bool TryWrite(std::span<const Line> lines) noexcept override {
      Write(lines);
      return true;
    }
    void Write(std::span<const Line>) noexcept override { errno = EAGAIN; }
  };
  const Observation seen = Observe([](Recorder&) {
    Careless sink;
    Scope scope(&sink);
    errno = ENOENT;
    std::cerr << "a line\n";
    printf("another\nand a part");
    fflush(stdout);
    Require(errno == ENOENT, "errno is what it was");
  });
  EXPECT_EQ(seen.out, "");
}

TEST(Scope, LongTextArrivesWhole) {
  const std::string text(10 << 20, 'x');
  const Observation seen = Observe([&](Recorder& sink) {
    Scope scope(&sink);
    printf("%s\n", text.c_str());
    std::cout << text << "\n";
    fwrite(text.data(), 1, text.size(), stderr);
  });
  EXPECT_EQ(Join(seen.captured(), Stream::kStdout), text + "\n" + text + "\n");
  EXPECT_EQ(Join(seen.captured(), Stream::kStderr), text);
  for (const Record& record : seen.captured()) EXPECT_LE(record.text.size(), kMaxLineBytes);
}

TEST(Scope, LinesAreDated) {
  const Observation seen = Observe([](Recorder&) {
    struct Times : Sink {
      bool TryWrite(std::span<const Line> lines) noexcept override {
        Write(lines);
        return true;
      }
      void Write(std::span<const Line> lines) noexcept override {
        for (const Line& line : lines) nanos.push_back(line.time_unix_nanos);
      }
      std::vector<int64_t> nanos;
    };
    const auto now = [] {
      timespec time;
      clock_gettime(CLOCK_REALTIME, &time);
      return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    };
    Times times;
    const int64_t before = now();
    {
      Scope scope(&times);
      printf("one\ntwo\n");
      printf("three\nfour");
    }
    const int64_t after = now();
    Require(times.nanos.size() == 4, "four lines come");
    for (const int64_t nanos : times.nanos) {
      Require(before <= nanos && nanos <= after, "the time is when the line was printed");
    }
  });
  EXPECT_THAT(seen.captured(), IsEmpty());
}

TEST(NestedScopes, InnerWinsAndOuterResumes) {
  const Observation seen = ObserveSinks(2, [](std::deque<Recorder>& sinks) {
    Scope outer(&sinks[0]);
    puts("outer");
    printf("begun outside, ");
    {
      Scope inner(&sinks[1]);
      puts("inner");
      printf("unfinished inside");
    }
    puts("finished outside");
  });
  EXPECT_THAT(seen.sinks[0], ElementsAre(Out("outer"), Out("begun outside, finished outside")));
  EXPECT_THAT(seen.sinks[1], ElementsAre(Out("inner"), OutPart("unfinished inside")));
  EXPECT_EQ(seen.out, "");
}

TEST(NestedScopes, ThreadsBelongToTheScopeTheyWereStartedIn) {
  const Observation seen = ObserveSinks(2, [](std::deque<Recorder>& sinks) {
    std::latch inner_open(1);
    Scope outer(&sinks[0]);
    std::thread of_outer([&] {
      inner_open.wait();
      puts("of the outer scope");
    });
    Scope inner(&sinks[1]);
    std::thread([] { puts("of the inner scope"); }).join();
    inner_open.count_down();
    of_outer.join();
  });
  EXPECT_THAT(seen.sinks[0], ElementsAre(Out("of the outer scope")));
  EXPECT_THAT(seen.sinks[1], ElementsAre(Out("of the inner scope")));
}

// A forked child has line buffers of its own, so that its lines do not mix with the parent's; and
// what it prints before its parent goes on comes first.
TEST(Scope, ForkedChildIsCaptured) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    puts("parent before");
    printf("begun by the parent, ");
    const pid_t child = fork();
    if (child == 0) {
      puts("child's stdout");
      std::cerr << "child's stderr\n";
      fflush(nullptr);
      _exit(0);
    }
    Require(waitpid(child, nullptr, 0) == child, "the child ends");
    puts("finished by the parent");
  });
  EXPECT_THAT(seen.captured(),
              ElementsAre(Out("parent before"), Out("child's stdout"), Err("child's stderr"),
                          Out("begun by the parent, finished by the parent")));
  EXPECT_EQ(seen.out + seen.err, "");
}

TEST(Scope, ForkOnAnotherCapturedThreadIsCaptured) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    std::thread([] {
      const pid_t child = fork();
      if (child == 0) {
        puts("child");
        fflush(nullptr);
        _exit(0);
      }
      waitpid(child, nullptr, 0);
      puts("parent");
    }).join();
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("child"), Out("parent")));
  EXPECT_EQ(seen.out, "");
}

// A sink that prints, in every way that is captured, must not be called by its own output.
TEST(Scope, SinkPrintsToTheRealDescriptors) {
  struct Talkative : Recorder {
    void Write(std::span<const Line> lines) noexcept override {
      Recorder::Write(lines);
      printf("the sink got %zu\n", lines.size());
      std::cerr << "the sink's stderr\n";
      std::thread([] { puts("the sink's thread"); }).join();
    }
  };
  const Observation seen = Observe([](Recorder& sink) {
    Talkative talkative;
    {
      Scope scope(&talkative);
      puts("one");
      std::thread([] { puts("two"); }).join();
      printf("unfinished");
    }
    for (const Record& record : talkative.records()) {
      const Line line{record.stream, record.ending, 0, record.text};
      sink.Write({&line, 1});
    }
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("one"), Out("two"), OutPart("unfinished")));
  const std::string turn = "the sink got 1\nthe sink's thread\n";
  EXPECT_EQ(seen.out, turn + turn + turn);
  EXPECT_EQ(seen.err, "the sink's stderr\nthe sink's stderr\nthe sink's stderr\n");
}

// Blocks whoever prints "block" until it is released.
class BlockingSink : public Recorder {
 public:
  void Write(std::span<const Line> lines) noexcept override {
    if (lines[0].text == "block") {
      blocked_.count_down();
      released_.wait();
    }
    Recorder::Write(lines);
  }
  bool TryWrite(std::span<const Line> lines) noexcept override { return false; }

  void WaitUntilBlocked() { blocked_.wait(); }
  void Release() { released_.count_down(); }

 private:
  std::latch blocked_{1};
  std::latch released_{1};
};

TEST(Scope, BlockingSinkHoldsUpItsCallerAlone) {
  const Observation seen = ObserveSinks(2, [](std::deque<Recorder>& sinks) {
    BlockingSink blocking;
    std::thread stalled([&] {
      Scope scope(&blocking);
      std::thread sibling([&] {
        blocking.WaitUntilBlocked();
        puts("another thread of the same scope");
        std::thread([] { puts("a thread started meanwhile"); }).join();
      });
      puts("block");
      sibling.join();
    });
    blocking.WaitUntilBlocked();
    puts("a thread without scope");
    blocking.WaitFor([](const auto& records) { return records.size() == 2; });
    sinks[1].TakeWaitingText();
    std::thread([&] {
      Scope scope(&sinks[1]);
      puts("another scope");
      printf("its unfinished text");
      sinks[1].WaitFor([](const auto& records) { return records.size() == 2; });
    }).join();
    blocking.Release();
    stalled.join();
    Require(blocking.records().size() == 3, "the blocked line arrives in the end");
  });
  EXPECT_EQ(seen.out, "a thread without scope\n");
  EXPECT_THAT(seen.sinks[1], ElementsAre(Out("another scope"), OutPart("its unfinished text")));
}

// The end of a scope waits for a call of the sink that is under way on another thread: the sink is
// its owner's again once the scope is gone.
TEST(Scope, EndWaitsForCallsOfTheSink) {
  const Observation seen = Observe([](Recorder& sink) {
    auto blocking = std::make_unique<BlockingSink>();
    std::latch ending(1);
    std::thread late;
    std::thread owner([&] {
      {
        Scope scope(blocking.get());
        late = std::thread([] { puts("block"); });
        blocking->WaitUntilBlocked();
        ending.count_down();
      }
      Require(blocking->records().size() == 1, "the call has ended before the scope has");
      blocking.reset();
    });
    ending.wait();
    BlockingSink* const sink_in_use = blocking.get();
    sink_in_use->Release();
    owner.join();
    late.join();
  });
  EXPECT_EQ(seen.out, "");
}

// Thousands of short scopes on several threads: every line in its own sink, none lost or doubled.
TEST(Scope, OpensAndClosesManyTimesOnManyThreads) {
  constexpr int kThreads = 8;
  constexpr int kScopes = 1000;
  const Observation seen = Observe([](Recorder& sink) {
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t, &wrong] {
        for (int i = 0; i < kScopes; ++i) {
          const std::string name = std::to_string(t) + "." + std::to_string(i);
          Recorder own;
          {
            Scope scope(&own);
            printf("line %s\n", name.c_str());
            if (i % 10 == 0) std::thread([&] { printf("thread %s\n", name.c_str()); }).join();
            printf("rest %s", name.c_str());
          }
          std::vector<Record> expected = {Out("line " + name), OutPart("rest " + name)};
          if (i % 10 == 0) expected.insert(expected.begin() + 1, Out("thread " + name));
          wrong += own.records() != expected;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    Require(wrong == 0, "each scope's sink has got its own lines");
  });
  EXPECT_EQ(seen.out, "");
}

}  // namespace
}  // namespace jobtail::capture
