// What happens when a job prints faster than its lines can be stored.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

class BackPressure : public testing::LogTest {
 protected:
  static constexpr size_t kBound = 10'000;

  // Has the store stop, and prints until the log takes no more. Returns the number of lines.
  int64_t FillUp(const std::shared_ptr<Log>& log) {
    store_.Block(Call::kAppend, log->run());
    first_ = std::jthread([log] { log->Append({Out("first", kHour)}); });
    store_.AwaitBlocked(Call::kAppend);
    int64_t lines = 1;
    while (log->TryAppend({Out(text_, kHour)})) ++lines;
    return lines;
  }

  const std::string text_ = std::string(100, 'x');
  std::jthread first_;  // is at the store
};

TEST_F(BackPressure, TryAppendTakesNothingAtTheBound) {
  const auto log = MakeLog({.unsaved_bytes = kBound});
  const int64_t lines = FillUp(log);
  EXPECT_GT(lines, 50);
  EXPECT_LT(lines, 100);
  EXPECT_FALSE(log->TryAppend({Out("more", kHour)}));
  store_.Unblock(Call::kAppend);
  first_.join();
  AwaitRecord(*log, lines);
  EXPECT_TRUE(log->TryAppend({Out("more", kHour)}));
  Finish(*log);
  EXPECT_EQ(Sequences(ReadToEnd(log)), Numbers(1, lines + 2));
}

TEST_F(BackPressure, AppendWaitsAtTheBoundUntilTheStoreHasTakenSomething) {
  const auto log = MakeLog({.unsaved_bytes = kBound});
  const int64_t lines = FillUp(log);
  absl::Notification at_it;
  size_t stored_when_it_returned = 0;
  std::jthread job([&] {
    at_it.Notify();
    log->Append({Out("waited", kHour)});
    stored_when_it_returned = store_.appended().size();
  });
  at_it.WaitForNotification();
  const PassingTime passing(&clock_);
  store_.Unblock(Call::kAppend);
  job.join();
  EXPECT_GE(stored_when_it_returned, 1);
  Finish(*log);
  const std::vector<v1::LogLine> all = ReadToEnd(log);
  EXPECT_EQ(Sequences(all), Numbers(1, lines + 2));
  EXPECT_EQ(all[lines].text(), "waited");
}

TEST_F(BackPressure, AlsoHoldsWhileTheStoreRefuses) {
  const auto log = MakeLog({.unsaved_bytes = kBound});
  store_.Fail(Call::kAppend, absl::UnavailableError("the disk is slow"), 1 << 30);
  int64_t lines = 0;
  while (log->TryAppend({Out(text_, kHour)})) ++lines;
  EXPECT_LT(lines, 100);
  store_.Mend(Call::kAppend);
  const PassingTime passing(&clock_);
  log->Append({Out("waited", kHour)});  // until a new attempt has succeeded
  Finish(*log);
  EXPECT_EQ(Sequences(ReadToEnd(log)), Numbers(1, lines + 2));
}

TEST_F(BackPressure, DoesNotTouchOtherLogs) {
  const auto log = MakeLog({.unsaved_bytes = kBound});
  FillUp(log);
  const auto other = MakeLog({.unsaved_bytes = kBound}, "other");
  for (int i = 1; i <= 1000; ++i) other->Append({Out(text_, i * kHour)});
  EXPECT_EQ(other->GetSnapshot().last, 1000);
  Finish(*other);
  EXPECT_EQ(log->GetSnapshot().last, 0);
  store_.Unblock(Call::kAppend);
}

TEST_F(BackPressure, AllLogsTogetherHoldNoMoreThanTheirBound) {
  constexpr size_t kLine = 1000;
  UnsavedBytes all{.most = 1 << 20};
  services_.unsaved = &all;
  store_.Fail(Call::kAppend, absl::UnavailableError("the disk is slow"), 1 << 30);
  const auto log = MakeLog();
  const auto other = MakeLog({}, "other");
  const std::string text(kLine, 'x');
  const auto fill_up = [&](Log& full) {
    int64_t lines = 0;
    while (full.TryAppend({Out(text, kHour)})) ++lines;
    return lines;
  };
  const int64_t lines = fill_up(*log);
  const int64_t other_lines = fill_up(*other);
  EXPECT_LT(lines * kLine, (1 << 20) + 2 * kBatchBytes);
  EXPECT_GT(other_lines * kLine, kBatchBytes) << "it can go on";
  EXPECT_LT(other_lines * kLine, 3 * kBatchBytes);
  store_.Mend(Call::kAppend);
  const PassingTime passing(&clock_);
  log->Append({Out("waited", kHour)});
  other->Append({Out("waited", kHour)});
  Finish(*log);
  Finish(*other);
  EXPECT_EQ(all.bytes, 0);
  EXPECT_EQ(Sequences(ReadToEnd(log)), Numbers(1, lines + 2));
  EXPECT_EQ(Sequences(ReadToEnd(other)), Numbers(1, other_lines + 2));
}

TEST_F(BackPressure, LetsAllThreadsThroughInTheEnd) {
  constexpr int kThreads = 4;
  constexpr int kLines = 200;
  const auto log = MakeLog({.unsaved_bytes = 1000});
  const PassingTime passing(&clock_);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < kLines; ++i) log->Append({Out(text_, kHour)});
      });
    }
  }
  Finish(*log);
  EXPECT_EQ(Sequences(ReadToEnd(log)), Numbers(1, kThreads * kLines + 1));
}

// A single call may bring more than the bound allows: it is taken whole, and then it is full.
TEST_F(BackPressure, TakesLinesOfOneCallTogether) {
  const auto log = MakeLog({.unsaved_bytes = 1});
  store_.Block(Call::kAppend);
  std::jthread job([&] { log->Append({Out("one", kHour), Out("two", kHour)}); });
  store_.AwaitBlocked(Call::kAppend);
  EXPECT_FALSE(log->TryAppend({Out("three", kHour)}));
  store_.Unblock(Call::kAppend);
  job.join();
  EXPECT_EQ(log->GetSnapshot().last, 2);
}

}  // namespace
}  // namespace jobtail
