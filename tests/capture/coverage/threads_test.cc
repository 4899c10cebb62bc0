// The threads of a run: those that its own threads start, and others that work for it.

#include <gtest/gtest.h>
#include <stdio.h>

#include <coroutine>
#include <deque>
#include <functional>
#include <future>
#include <iostream>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "capture/context.h"
#include "tests/capture/coverage/c_threads.h"
#include "tests/capture/coverage/pool.h"
#include "tests/capture/coverage/row.h"

namespace jobtail::capture {
namespace {

constexpr int kRepetitions = 40;

void PrintTag(const Tag& tag) { printf("%d:%d\n", tag.thread, tag.repetition); }

TEST(ThreadKinds, StdThread) {
  ExpectCaptured({.captured = {[](const Tag& tag) { std::thread(PrintTag, tag).join(); }},
                  .repetitions = kRepetitions});
}

TEST(ThreadKinds, StdJthread) {
  ExpectCaptured({.captured = {[](const Tag& tag) { std::jthread thread(PrintTag, tag); }},
                  .repetitions = kRepetitions});
}

TEST(ThreadKinds, StdAsync) {
  ExpectCaptured(
      {.captured = {[](const Tag& tag) { std::async(std::launch::async, PrintTag, tag).get(); }},
       .repetitions = kRepetitions});
}

TEST(ThreadKinds, GrandchildThreads) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    std::thread([&] { std::thread(PrintTag, tag).join(); }).join();
                  }},
                  .repetitions = kRepetitions});
}

TEST(ThreadKinds, PthreadFromC) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    Require(print_on_pthread(tag.c_str()) == 0, "the thread prints");
                  }},
                  .repetitions = kRepetitions});
}

TEST(ThreadKinds, ThreadOfC11) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer does not know thrd_create";
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    Require(print_on_c11_thread(tag.c_str()) == 0, "the thread prints");
                  }},
                  .repetitions = kRepetitions});
}

// Several threads of a run at once: whole lines, each once.
TEST(ThreadKinds, ManyAtOnce) {
  constexpr int kAtOnce = 4;
  const Way way{[](const Tag& tag) {
                  std::vector<std::jthread> threads;
                  for (int i = 0; i < kAtOnce; ++i) {
                    threads.emplace_back([i, &tag] {
                      printf("%s", tag.c_str());
                      std::cout << " from " << i << '\n';
                    });
                  }
                },
                [](const Tag& tag) {
                  std::vector<Record> lines;
                  for (int i = 0; i < kAtOnce; ++i) {
                    lines.push_back(Out(tag.text + " from " + std::to_string(i)));
                  }
                  return lines;
                },
                Order::kAny};
  ExpectCaptured({.captured = way, .uncaptured = Plainly(), .repetitions = kRepetitions});
}

// --- pools

// The process's one pool, which was there before any run and serves all of them.
TEST(Pools, StartedBeforeThroughBind) {
  static Pool* pool = nullptr;
  ExpectCaptured(
      {.captured = {[](const Tag& tag) { pool->Submit(Bind([&tag] { PrintTag(tag); })).get(); }},
       .before = [] { pool = new Pool(4); },
       .after = [] { delete pool; }});
}

TEST(Pools, StartedBeforeThroughAContext) {
  static Pool* pool = nullptr;
  const Way way{[](const Tag& tag) {
    const Context context = Context::Current();
    pool->Submit([&] {
          puts("the pool's own");
          {
            Entered entered(context);
            PrintTag(tag);
          }
          puts("the pool's own");
        })
        .get();
  }};
  const Row row{.captured = way,
                .uncaptured = {[](const Tag&) {}, [](const Tag&) { return std::vector<Record>(); }},
                .before = [] { pool = new Pool(4); },
                .after = [] { delete pool; }};
  const Observation seen = RunRow(row);
  for (int t = 0; t < kThreads; ++t) {
    ExpectSink(seen, t, LinesOf(row.captured, t, row.repetitions));
  }
  std::string expected;
  for (int i = 0; i < 2 * kThreads * row.repetitions; ++i) expected += "the pool's own\n";
  EXPECT_EQ(seen.out, expected);
}

// Without a word to the library, such a pool belongs to nobody.
TEST(Pools, StartedBeforeIsNotCapturedByItself) {
  static Pool* pool = nullptr;
  const Row row{.captured = {[](const Tag& tag) { pool->Submit([&] { PrintTag(tag); }).get(); }},
                .before = [] { pool = new Pool(4); },
                .after = [] { delete pool; }};
  const Observation seen = RunRow(row);
  for (int t = 0; t < kThreads; ++t) ExpectSink(seen, t, {});
  EXPECT_NE(seen.out.find(Tag(0, row.repetitions - 1).line()), std::string::npos);
}

// A pool that a run starts is the run's for as long as the run lasts, and goes on after it.
TEST(Pools, StartedLazilyInARunOutliveIt) {
  static std::deque<std::unique_ptr<Pool>> pools(kThreads);
  const Way way{[](const Tag& tag) {
    if (tag.thread == kUncaptured) return PrintTag(tag);
    std::unique_ptr<Pool>& pool = pools.at(tag.thread);
    if (!pool) pool = std::make_unique<Pool>(2);
    pool->Submit([&] { PrintTag(tag); }).get();
  }};
  const Row row{.captured = way, .after = [] {
                  for (const auto& pool : pools) pool->Submit([] { puts("after the run"); }).get();
                  pools.clear();
                }};
  Observation seen = RunRow(row);
  for (int t = 0; t < kThreads; ++t) {
    ExpectSink(seen, t, LinesOf(row.captured, t, row.repetitions));
  }
  std::string after;
  for (int t = 0; t < kThreads; ++t) after += "after the run\n";
  ASSERT_TRUE(seen.out.ends_with(after));
  seen.out.resize(seen.out.size() - after.size());
  ExpectReal(seen, row);
}

// --- a coroutine that goes on on another thread

// A coroutine that starts at once and ends by itself.
struct Detached {
  // NOLINTNEXTLINE(readability-identifier-naming): the language's name
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

// co_await it to go on on one of the pool's threads.
struct ContinueOn {
  Pool& pool;

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) const {
    pool.Submit([coroutine] { coroutine.resume(); });
  }
  void await_resume() const {}
};

Detached PrintOnThreeThreads(Tag tag, Pool& pool, std::promise<void> done) {
  const Context context = Context::Current();
  printf("%s on the first\n", tag.c_str());
  for (const char* const thread : {"second", "third"}) {
    co_await ContinueOn{pool};
    Entered entered(context);
    std::cout << tag.text << " on the " << thread << std::endl;
  }
  done.set_value();
}

TEST(Coroutines, ReenterTheirContext) {
  static Pool* pool = nullptr;
  const Way way{[](const Tag& tag) {
                  std::promise<void> done;
                  std::future<void> future = done.get_future();
                  PrintOnThreeThreads(tag, *pool, std::move(done));
                  future.get();
                },
                [](const Tag& tag) {
                  return std::vector{Out(tag.text + " on the first"),
                                     Out(tag.text + " on the second"),
                                     Out(tag.text + " on the third")};
                }};
  ExpectCaptured(
      {.captured = way, .before = [] { pool = new Pool(4); }, .after = [] { delete pool; }});
}

}  // namespace
}  // namespace jobtail::capture
