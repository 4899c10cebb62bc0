// Appending from threads that serve many: they never wait for the store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "server/log/log.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using testing::kHour;
using testing::Numbers;
using testing::Out;
using testing::ReadToEnd;
using testing::Sequences;
using testing::Texts;

class TryAppend : public testing::LogTest {
 protected:
  // Every call that the store gets from now on waits; that of whoever appends would, too.
  void Stall() { store_.Block(Call::kAppend); }
};

// Whatever would have Append store: a line that comes alone, a full batch, several, half of what
// may be unsaved, a committer that is late.
TEST_F(TryAppend, ReturnsAtOnceWhileTheStoreStandsStill) {
  const std::string longest(64 << 10, 'x');
  const auto log = MakeLog({.unsaved_bytes = 1 << 20});
  Stall();
  int64_t lines = 0;
  while (log->TryAppend({Out(longest, ++lines * kHour)})) {
  }
  EXPECT_GT(lines, 14);
  EXPECT_EQ(log->GetSnapshot().last, 0);
  store_.Unblock(Call::kAppend);
  Finish(*log);
  EXPECT_EQ(Sequences(ReadToEnd(log)), Numbers(1, lines));
}

TEST_F(TryAppend, ReturnsAtOnceOnEveryThread) {
  const auto log = MakeLog();
  Stall();
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int i = 1; i <= kLines; ++i) ASSERT_TRUE(log->TryAppend({Out("line", i * kHour)}));
      });
    }
  }
  EXPECT_LE(store_.count(Call::kAppend), 1) << "the committer's";
  store_.Unblock(Call::kAppend);
  Finish(*log);
  EXPECT_EQ(Sequences(ReadToEnd(log)), Numbers(1, kThreads * kLines + 1));
}

// The thread that prints is in the store; that is nothing to a thread that serves many.
TEST_F(TryAppend, ReturnsAtOnceWhileAnotherThreadStores) {
  const auto log = MakeLog();
  Stall();
  std::jthread printing([&] { log->Append({Out("one", kHour)}); });
  store_.AwaitBlocked(Call::kAppend);
  EXPECT_TRUE(log->TryAppend({Out("two", 2 * kHour)}));
  store_.Unblock(Call::kAppend);
  printing.join();
  AwaitRecord(*log, 2);
}

// Though no time passes.
TEST_F(TryAppend, HasALineThatComesAloneStoredAtOnceByTheCommitter) {
  const auto log = MakeLog();
  for (int i = 1; i <= 100; ++i) {
    ASSERT_TRUE(log->TryAppend({Out("line", i * kHour)}));
    testing::AwaitRecord(*log, i);
  }
}

TEST_F(TryAppend, HasLinesThatComeCloseStoredTogether) {
  const auto log = MakeLog();
  ASSERT_TRUE(log->TryAppend({Out("alone", kHour)}));
  testing::AwaitRecord(*log, 1);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(log->TryAppend({Out("line", kHour)}));
  clock_.Advance(absl::Microseconds(200));
  testing::AwaitRecord(*log, 101);
  EXPECT_EQ(store_.count(Call::kAppend), 2);
}

TEST_F(TryAppend, HasFullBatchesStoredAtOnceByTheCommitter) {
  const auto log = MakeLog(Collecting());
  const std::string text(1000, 'x');
  for (int i = 1; i <= 140; ++i) ASSERT_TRUE(log->TryAppend({Out(text, 1)}));
  testing::AwaitRecord(*log, 120);
  EXPECT_LT(log->GetSnapshot().last, 140) << "the rest waits for its time";
}

// The reader's work is not that of a thread which serves many, either.
TEST_F(TryAppend, WakesNoReaderItself) {
  const auto log = MakeLog();
  std::atomic<std::thread::id> waker;
  absl::Notification woken;
  int64_t id;
  const auto wake = [&] {
    waker = std::this_thread::get_id();
    woken.Notify();
  };
  ASSERT_TRUE(log->Wait(1, 0, wake, &id));
  ASSERT_TRUE(log->TryAppend({Out("line", kHour)}));
  woken.WaitForNotification();
  EXPECT_NE(waker.load(), std::this_thread::get_id());
}

TEST_F(TryAppend, KeepsTheOrderBesideAppend) {
  const auto log = MakeLog();
  std::vector<std::string> expected;
  for (int i = 0; i < 1000; ++i) {
    expected.push_back(std::to_string(i));
    if (i % 3 == 0) {
      log->Append({Out(expected.back(), i * kHour / 10)});
    } else {
      ASSERT_TRUE(log->TryAppend({Out(expected.back(), i * kHour / 10)}));
    }
  }
  Finish(*log);
  expected.emplace_back("result");
  EXPECT_EQ(Texts(ReadToEnd(log)), expected);
}

// One run whose store call stands still, and another whose lines are collected.
TEST_F(TryAppend, ReachesReadersThoughTheStoreHoldsUpAnotherRun) {
  Scheduler committer("two", &clock_, 2);
  services_.committer = &committer;
  const auto stuck = MakeLog({}, "stuck");
  const auto other = MakeLog({}, "other");
  store_.Block(Call::kAppend, "stuck");
  ASSERT_TRUE(stuck->TryAppend({Out("line", kHour)}));
  store_.AwaitBlocked(Call::kAppend);
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(other->TryAppend({Out("alone", i * kHour)}));
    ASSERT_TRUE(other->TryAppend({Out("collected", i * kHour)}));
    AwaitRecord(*other, 2 * i);
  }
  EXPECT_EQ(stuck->GetSnapshot().last, 0);
  store_.Unblock(Call::kAppend);
  testing::AwaitRecord(*stuck, 1);
}

// A run that prints much has the committer wait for the disk; what is small has one of its own, and
// what has grown goes to the other.
TEST_F(TryAppend, OfWhatIsSmallDoesNotWaitForWhatIsLarge) {
  Scheduler small_committer("small", &clock_);
  services_.small_committer = &small_committer;
  const auto loud = MakeLog({}, "loud");
  const auto quiet = MakeLog({}, "quiet");
  store_.Block(Call::kAppend, "loud");
  const std::string much(kSmallBytes, '.');
  ASSERT_TRUE(loud->TryAppend({Out(much, kHour)}));
  clock_.Advance(absl::Seconds(1));
  store_.AwaitBlocked(Call::kAppend);
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(quiet->TryAppend({Out("alone", i * kHour)}));
    ASSERT_TRUE(quiet->TryAppend({Out("collected", i * kHour)}));
    AwaitRecord(*quiet, 2 * i);
  }
  EXPECT_EQ(loud->GetSnapshot().last, 0);
  const auto grown = MakeLog({}, "grown");
  ASSERT_TRUE(grown->TryAppend({Out("little", kHour)}));
  AwaitRecord(*grown, 1);
  ASSERT_TRUE(grown->TryAppend({Out("a little, after no pause", kHour)}));
  ASSERT_TRUE(grown->TryAppend({Out(much, kHour)}));
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(quiet->TryAppend({Out("alone", 11 * kHour)}));
  AwaitRecord(*quiet, 21);
  EXPECT_EQ(grown->GetSnapshot().last, 1) << "it waits for the committer of what is large";
  store_.Unblock(Call::kAppend);
  testing::AwaitRecord(*loud, 1);
  testing::AwaitRecord(*grown, 3);
}

// What is there of it is little for a moment only.
TEST_F(TryAppend, OfARunThatFillsBatchesWakesTheCommitterOfWhatIsLargeAlone) {
  Scheduler small_committer("small", &clock_);
  services_.small_committer = &small_committer;
  const auto blocked = MakeLog({}, "blocked");
  const auto loud = MakeLog({}, "loud");
  const std::string longest(64 << 10, '.');
  ASSERT_TRUE(loud->TryAppend({Out(longest, kHour), Out(longest, kHour), Out(longest, kHour)}));
  AwaitRecord(*loud, 3);
  store_.Block(Call::kAppend, "blocked");
  ASSERT_TRUE(blocked->TryAppend({Out("alone", kHour)}));
  store_.AwaitBlocked(Call::kAppend);  // the committer of what is small
  ASSERT_TRUE(loud->TryAppend({Out("little", kHour)}));
  AwaitRecord(*loud, 4);
  store_.Unblock(Call::kAppend);
  testing::AwaitRecord(*blocked, 1);
}

}  // namespace
}  // namespace jobtail
