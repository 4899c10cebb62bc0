// How readers wait for a log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "server/log/log.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using testing::kHour;
using testing::Out;

using LogWait = testing::LogTest;

std::function<void()> Counting(std::atomic<int>* count) {
  return [count] { ++*count; };
}

TEST_F(LogWait, IsNotNeededForWhatIsThere) {
  const auto log = MakeLog();
  log->Append({Out("one", kHour)});
  int64_t id;
  EXPECT_FALSE(log->Wait(
      1, 0, [] { FAIL(); }, &id))
      << "a record";
  EXPECT_TRUE(log->Wait(
      2, 0, [] {}, &id));
  log->SetRun({});
  EXPECT_FALSE(log->Wait(
      2, 0, [] { FAIL(); }, &id))
      << "a state";
  EXPECT_TRUE(log->Wait(
      2, 1, [] {}, &id));
  Finish(*log);
  EXPECT_FALSE(log->Wait(
      3, 1, [] { FAIL(); }, &id))
      << "the end";
}

TEST_F(LogWait, IsNotPossibleOnADeletedLog) {
  const auto log = MakeLog();
  log->MarkDeleted();
  int64_t id;
  EXPECT_FALSE(log->Wait(
      1, 0, [] { FAIL(); }, &id));
}

// What tells a state is not told by the thread that brought it about.
void AwaitCount(const std::atomic<int>& counter, int count) {
  while (counter < count) std::this_thread::yield();
}

TEST_F(LogWait, EndsWithARecordAStateTheEndOrDeletion) {
  const auto log = MakeLog();
  std::atomic<int> woken = 0;
  int64_t id;
  ASSERT_TRUE(log->Wait(1, 0, Counting(&woken), &id));
  log->Append({Out("one", kHour)});
  EXPECT_EQ(woken, 1);
  ASSERT_TRUE(log->Wait(2, 0, Counting(&woken), &id));
  log->SetRun({});
  AwaitCount(woken, 2);
  ASSERT_TRUE(log->Wait(2, 1, Counting(&woken), &id));
  log->SetProgress({});
  AwaitCount(woken, 3);
  ASSERT_TRUE(log->Wait(2, 2, Counting(&woken), &id));
  Finish(*log);
  EXPECT_EQ(woken, 4);
}

TEST_F(LogWait, EndsWithDeletion) {
  const auto log = MakeLog();
  std::atomic<int> woken = 0;
  int64_t id;
  ASSERT_TRUE(log->Wait(1, 0, Counting(&woken), &id));
  log->MarkDeleted();
  EXPECT_EQ(woken, 1);
}

TEST_F(LogWait, EndsOnce) {
  const auto log = MakeLog();
  std::atomic<int> woken = 0;
  int64_t id;
  ASSERT_TRUE(log->Wait(1, 0, Counting(&woken), &id));
  for (int i = 1; i <= 5; ++i) log->Append({Out("line", i * kHour)});
  EXPECT_EQ(woken, 1);
}

TEST_F(LogWait, EndsForEveryReaderHoweverMany) {
  constexpr int kReaders = 1000;
  const auto log = MakeLog();
  absl::BlockingCounter woken(kReaders);
  int64_t id;
  for (int i = 0; i < kReaders; ++i) {
    ASSERT_TRUE(log->Wait(
        1, 0, [&] { woken.DecrementCount(); }, &id));
  }
  log->Append({Out("one", kHour)});
  woken.Wait();
}

TEST_F(LogWait, OfManyReadersIsNotEndedByTheThreadThatPrints) {
  constexpr int kReaders = 10;
  const auto log = MakeLog();
  absl::BlockingCounter woken(kReaders);
  std::atomic<int> by_this_thread = 0;
  int64_t id;
  for (int i = 0; i < kReaders; ++i) {
    const auto wake = [&, printer = std::this_thread::get_id()] {
      if (std::this_thread::get_id() == printer) ++by_this_thread;
      woken.DecrementCount();
    };
    ASSERT_TRUE(log->Wait(1, 0, wake, &id));
  }
  log->Append({Out("one", kHour)});
  woken.Wait();
  EXPECT_EQ(by_this_thread, 0);
}

TEST_F(LogWait, IsForgottenWhenCancelled) {
  const auto log = MakeLog();
  std::atomic<int> woken = 0;
  std::atomic<int> kept = 0;
  int64_t id;
  int64_t other;
  ASSERT_TRUE(log->Wait(1, 0, Counting(&woken), &id));
  ASSERT_TRUE(log->Wait(1, 0, Counting(&kept), &other));
  log->CancelWait(id);
  log->CancelWait(id);  // a second time does nothing
  log->Append({Out("one", kHour)});
  log->CancelWait(other);  // nor does this, once it has been called
  EXPECT_EQ(woken, 0);
  EXPECT_EQ(kept, 1);
}

// Otherwise a reader whose last reference is in its own wait could not be destroyed.
TEST_F(LogWait, LetsGoOfACancelledFunctionWithoutTheLock) {
  const auto log = MakeLog();
  int64_t last = -1;
  const std::shared_ptr<void> reader(nullptr, [&](void*) { last = log->GetSnapshot().last; });
  int64_t id;
  ASSERT_TRUE(log->Wait(
      1, 0, [reader] {}, &id));
  const_cast<std::shared_ptr<void>&>(reader).reset();
  log->CancelWait(id);
  EXPECT_EQ(last, 0);
}

TEST_F(LogWait, MayBeTakenUpAgainFromTheCallItself) {
  const auto log = MakeLog();
  std::vector<int64_t> seen;
  std::function<void()> read = [&] {
    int64_t next = log->GetSnapshot().last;
    seen.push_back(next);
    int64_t id;
    EXPECT_TRUE(log->Wait(next + 1, 0, read, &id));
  };
  read();
  for (int i = 1; i <= 3; ++i) log->Append({Out("line", i * kHour)});
  EXPECT_THAT(seen, ::testing::ElementsAre(0, 1, 2, 3));
}

TEST_F(LogWait, MissesNothingBetweenLookingAndWaiting) {
  constexpr int64_t kLines = 20'000;
  const auto log = MakeLog();
  const PassingTime passing(&clock_);
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      for (int64_t next = 1; next <= kLines; ++next) testing::AwaitRecord(*log, next);
    });
  }
  // Some are collected, some come after a pause.
  for (int64_t i = 1; i <= kLines; ++i) log->Append({Out("line", i / 10 * kHour)});
}

TEST_F(LogWait, OfReadersThatComeAndGoLeavesNothingBehind) {
  const auto log = MakeLog();
  const auto token = std::make_shared<int>();
  {
    std::vector<std::jthread> readers;
    for (int thread = 0; thread < 4; ++thread) {
      readers.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) {
          int64_t id;
          const int64_t never = std::numeric_limits<int64_t>::max();
          if (log->Wait(
                  never, never, [token] {}, &id))
            log->CancelWait(id);
        }
      });
    }
    for (int i = 1; i <= 500; ++i) log->Append({Out("line", i * kHour)});
  }
  absl::Notification last_wake_called;
  waker_.Soon([&] { last_wake_called.Notify(); });
  last_wake_called.WaitForNotification();
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace jobtail
