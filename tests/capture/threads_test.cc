// Which threads a scope covers: those that its threads start, and no others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <stdio.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <future>
#include <iostream>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

using ::testing::ElementsAre;

void* PrintAndReturn(void* argument) {
  printf("pthread\n");
  return argument;
}

TEST(Threads, ChildrenAreCaptured) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    std::thread([] { puts("std::thread"); }).join();
    std::jthread([] { puts("std::jthread"); }).join();
    std::async(std::launch::async, [] { puts("std::async"); }).get();
    pthread_t thread;
    Require(pthread_create(&thread, nullptr, PrintAndReturn, &sink) == 0, "a thread starts");
    void* returned = nullptr;
    pthread_join(thread, &returned);
    Require(returned == &sink, "the thread gets its argument and returns its value");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("std::thread"), Out("std::jthread"),
                                           Out("std::async"), Out("pthread")));
  EXPECT_EQ(seen.out, "");
}

TEST(Threads, GrandchildrenAreCaptured) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    std::thread([] {
      std::async(std::launch::async, [] {
        std::thread([] { puts("great-grandchild"); }).join();
        std::cerr << "grandchild\n";
      }).get();
    }).join();
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("great-grandchild"), Err("grandchild")));
  EXPECT_EQ(seen.out + seen.err, "");
}

// Not even if it belongs to a thread that opens a scope later.
TEST(Threads, StartedBeforeTheScopeAreNotCaptured) {
  const Observation seen = Observe([](Recorder& sink) {
    std::latch opened(1);
    std::thread early([&] {
      opened.wait();
      std::thread([] { puts("early thread's child"); }).join();
      puts("early thread");
    });
    Scope scope(&sink);
    opened.count_down();
    early.join();
    puts("the scope's own");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("the scope's own")));
  EXPECT_EQ(seen.out, "early thread's child\nearly thread\n");
}

struct PrintsInDestructor {
  const char* text;
  ~PrintsInDestructor() { printf("%s", text); }
};

TEST(Threads, ThreadLocalDestructorsAreCaptured) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    std::thread([] {
      thread_local PrintsInDestructor whole{"destroyed first\n"};
      thread_local PrintsInDestructor part{"destroyed last, "};
      static_cast<void>(part.text);
      static_cast<void>(whole.text);
      puts("running");
    }).join();
    puts("joined");
  });
  std::vector<Record> captured = seen.captured();
  EXPECT_THAT(captured,
              ElementsAre(Out("running"), Out("destroyed last, destroyed first"), Out("joined")));
  EXPECT_EQ(seen.out, "");
}

TEST(Threads, UnfinishedTextArrivesWhenTheThreadEnds) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    std::thread([] { printf("no newline"); }).join();
    puts("after it");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(OutPart("no newline"), Out("after it")));
}

TEST(Threads, EndedByPthreadExitAreCapturedToTheEnd) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    pthread_t thread;
    const auto body = [](void* argument) -> void* {
      printf("exits early");
      pthread_exit(argument);
    };
    pthread_create(&thread, nullptr, body, &sink);
    void* returned = nullptr;
    pthread_join(thread, &returned);
    Require(returned == &sink, "the value given to pthread_exit is returned");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(OutPart("exits early")));
}

TEST(Threads, FailureToStartIsReported) {
  const Observation seen = Observe([](Recorder& sink) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    cpu_set_t no_processor;
    CPU_ZERO(&no_processor);
    pthread_attr_setaffinity_np(&attributes, sizeof no_processor, &no_processor);
    Scope scope(&sink);
    pthread_t thread;
    Require(pthread_create(&thread, &attributes, PrintAndReturn, nullptr) == EINVAL,
            "the error is the C library's");
    puts("goes on");
    pthread_attr_destroy(&attributes);
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("goes on")));
}

// Eight jobs at once beside a thread of the program's own: everyone's lines where they belong, in
// order, once.
TEST(Threads, ScopesAtTheSameTimeStayApart) {
  constexpr int kScopes = 8;
  constexpr int kLines = 500;
  const Observation seen = ObserveSinks(kScopes, [](std::deque<Recorder>& sinks) {
    std::latch all_there(kScopes + 1);
    std::vector<std::thread> threads;
    for (int t = 0; t < kScopes; ++t) {
      threads.emplace_back([&, t] {
        Scope scope(&sinks[t]);
        all_there.arrive_and_wait();
        for (int i = 0; i < kLines; ++i) {
          printf("%d:%d\n", t, i);
          std::cerr << t << ':' << i << "\n";
        }
      });
    }
    all_there.arrive_and_wait();
    for (int i = 0; i < kLines; ++i) {
      printf("real %d\n", i);
      std::cerr << "real err " << i << "\n";
    }
    for (std::thread& thread : threads) thread.join();
  });
  std::string out;
  std::string err;
  for (int i = 0; i < kLines; ++i) {
    out += "real " + std::to_string(i) + "\n";
    err += "real err " + std::to_string(i) + "\n";
  }
  EXPECT_EQ(seen.out, out);
  EXPECT_EQ(seen.err, err);
  for (int t = 0; t < kScopes; ++t) {
    std::vector<Record> expected;
    for (int i = 0; i < kLines; ++i) {
      const std::string text = std::to_string(t) + ":" + std::to_string(i);
      expected.push_back(Out(text));
      expected.push_back(Err(text));
    }
    EXPECT_EQ(seen.sinks[t], expected);
  }
}

// Lines that threads of one scope put together from pieces at the same time.
TEST(Threads, LinesOfOneScopeDoNotMix) {
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    std::latch all_there(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        all_there.arrive_and_wait();
        for (int i = 0; i < kLines; ++i) {
          printf("%d", t);
          fputs(" says ", stdout);
          std::cout << i;
          putchar('\n');
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  std::vector<int> next(kThreads);
  for (const Record& record : seen.captured()) {
    const int t = record.text.at(0) - '0';
    ASSERT_TRUE(0 <= t && t < kThreads) << record;
    ASSERT_EQ(record, Out(std::to_string(t) + " says " + std::to_string(next[t]++)));
  }
  EXPECT_EQ(next, std::vector<int>(kThreads, kLines));
}

// One call's lines stay together, whatever other threads print.
TEST(Threads, PiecesOfOneCallAreNotTornApart) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 300;
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < kCalls; ++i) printf("%d first %d\n%d second %d\n", t, i, t, i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  ASSERT_EQ(seen.captured().size(), size_t{2} * kThreads * kCalls);
  for (size_t i = 0; i < seen.captured().size(); i += 2) {
    std::string second = seen.captured()[i].text;
    second.replace(second.find("first"), 5, "second");
    ASSERT_EQ(seen.captured()[i + 1].text, second);
  }
}

TEST(Threads, OneThatOutlivesItsScopeFallsBackToTheRealDescriptors) {
  const Observation seen = Observe([](Recorder& sink) {
    std::latch printed(1);
    std::latch closed(1);
    std::thread survivor;
    {
      Scope scope(&sink);
      survivor = std::thread([&] {
        puts("inside");
        printf("begun inside, ");
        printed.count_down();
        closed.wait();
        puts("finished outside");
        std::cerr << "cerr outside\n";
        std::thread([] { puts("its child outside"); }).join();
      });
      printed.wait();
    }
    closed.count_down();
    survivor.join();
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("inside"), OutPart("begun inside, ")));
  EXPECT_EQ(seen.out, "finished outside\nits child outside\n");
  EXPECT_EQ(seen.err, "cerr outside\n");
}

// While the scope ends, in the middle of its thread's work: each byte comes out once, here or
// there.
TEST(Threads, NothingIsLostWhereAScopeEndsUnderAThread) {
  constexpr int kLines = 2000;
  const Observation seen = Observe([](Recorder& sink) {
    std::thread survivor;
    {
      Scope scope(&sink);
      survivor = std::thread([] {
        for (int i = 0; i < kLines; ++i) printf("%d\n", i);
      });
      sink.WaitFor([](const auto& records) { return records.size() >= 10; });
    }
    survivor.join();
  });
  std::string expected;
  for (int i = 0; i < kLines; ++i) expected += std::to_string(i) + "\n";
  EXPECT_EQ(Join(seen.captured(), Stream::kStdout) + seen.out, expected);
}

}  // namespace
}  // namespace jobtail::capture
