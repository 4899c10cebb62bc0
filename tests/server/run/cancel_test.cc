// Runs that are asked to stop.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/records.h"
#include "tests/support/passing_time.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Gate;

using CancelTest = testing::ClockedEngineTest;

TEST_F(CancelTest, AJobThatHeedsItsStopTokenEndsAsCancelled) {
  AddJob(Job("job", [](JobContext& run) {
    std::cout << "waiting" << std::endl;
    run.SleepFor(absl::InfiniteDuration());
    std::cout << "cleaning up" << std::endl;
  }));
  const std::string run = Start("job");
  const absl::StatusOr<v1::Run> cancelled = Cancel(run);
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->id(), run);
  EXPECT_TRUE(cancelled->has_cancel_time());
  const std::vector<v1::LogLine> lines = AwaitLog(run);
  EXPECT_THAT(testing::Texts(lines), ElementsAre("waiting", "cleaning up", "result"));
  const v1::RunResult& result = lines.back().result();
  EXPECT_EQ(result.state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(result.error(), "cancelled");
  EXPECT_EQ(result.exit_code(), 0);
  EXPECT_EQ(Get(run).state(), v1::RUN_STATE_CANCELLED);
}

TEST_F(CancelTest, DoesNotWaitForTheJob) {
  Gate gate;
  AddJob(Job("job", [&](JobContext&) { gate.Pass(); }));
  const std::string run = Start("job");
  gate.AwaitArrival();
  EXPECT_EQ(Cancel(run)->state(), v1::RUN_STATE_RUNNING);
  gate.Open();
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_CANCELLED);
}

TEST_F(CancelTest, MayBeRepeatedAndTheFirstTimeCounts) {
  Gate gate;
  AddJob(Job("job", [&](JobContext&) { gate.Pass(); }));
  const std::string run = Start("job");
  const v1::Run first = *Cancel(run);
  EXPECT_EQ(Cancel(run)->cancel_time().DebugString(), first.cancel_time().DebugString());
  gate.Open();
  AwaitResult(run);
  EXPECT_EQ(Cancel(run)->cancel_time().DebugString(), first.cancel_time().DebugString());
}

TEST_F(CancelTest, OfARunThatHasEndedDoesNothing) {
  AddJob(Job("job", [](JobContext&) {}));
  const std::string run = Start("job");
  AwaitResult(run);
  const absl::StatusOr<v1::Run> cancelled = Cancel(run);
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_FALSE(cancelled->has_cancel_time());
  EXPECT_EQ(ReadLog(run).size(), 1);
}

TEST_F(CancelTest, KeepsWhatTheJobReportsThen) {
  AddJob(Job("throws", [](JobContext& run) {
    run.SleepFor(absl::InfiniteDuration());
    throw std::runtime_error("interrupted");
  }));
  AddJob(Job("exits", [](JobContext& run) {
    run.SleepFor(absl::InfiniteDuration());
    return 130;
  }));
  const std::string throws = Start("throws");
  const std::string exits = Start("exits");
  Cancel(throws).IgnoreError();
  Cancel(exits).IgnoreError();
  const v1::RunResult thrown = AwaitResult(throws);
  EXPECT_EQ(thrown.state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(thrown.exit_code(), 1);
  EXPECT_EQ(thrown.error(), "exception: interrupted");
  const v1::RunResult exited = AwaitResult(exits);
  EXPECT_EQ(exited.state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(exited.exit_code(), 130);
  EXPECT_EQ(exited.error(), "cancelled");
}

TEST_F(CancelTest, ReachesTheRightRunOfSeveral) {
  AddWaitingJob("job");
  const std::string first = Start("job");
  const std::string second = Start("job");
  Cancel(second).IgnoreError();
  EXPECT_EQ(AwaitResult(second).state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(Get(first).cancel_time().seconds(), 0);
  EXPECT_NE(Get(first).state(), v1::RUN_STATE_CANCELLED);
}

TEST_F(CancelTest, OfARunThatThereIsNotIsAnError) {
  EXPECT_EQ(Cancel("nope").status(),
            absl::NotFoundError("no run \"nope\"; ListRuns tells which there are"));
  EXPECT_EQ(Cancel("").status(), absl::InvalidArgumentError("run is empty; give a run's id"));
}

TEST_F(CancelTest, IsTheSameFromManyThreadsAtOnce) {
  AddWaitingJob("job");
  for (int i = 0; i < 20; ++i) {
    const std::string run = Start("job");
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t) threads.emplace_back([&] { EXPECT_TRUE(Cancel(run).ok()); });
    }
    EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_CANCELLED);
  }
}

TEST_F(CancelTest, IsAskedForByTheTimeout) {
  AddJob(Job("job", [](JobContext& run) {
           run.SleepFor(absl::InfiniteDuration());
         }).Timeout(absl::Seconds(1)));
  const std::string run = Start("job");
  const PassingTime passing(&clock_);
  const v1::RunResult result = AwaitResult(run);
  EXPECT_EQ(result.state(), v1::RUN_STATE_TIMED_OUT);
  EXPECT_EQ(result.error(), "stopped after its timeout of 1s");
  EXPECT_TRUE(Get(run).has_cancel_time());
}

TEST_F(CancelTest, AfterTheTimeoutDoesNotChangeTheReason) {
  Gate gate;
  AddJob(Job("job", [&](JobContext& run) {
           run.SleepFor(absl::InfiniteDuration());
           gate.Pass();
         }).Timeout(absl::Milliseconds(1)));
  const PassingTime passing(&clock_);
  const std::string run = Start("job");
  gate.AwaitArrival();
  Cancel(run).IgnoreError();
  gate.Open();
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_TIMED_OUT);
}

TEST_F(CancelTest, DoesNotComeFromATimeoutThatTheJobKept) {
  AddJob(Job("job", [](JobContext&) {}).Timeout(absl::Hours(1)));
  const std::string run = Start("job");
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_FALSE(Get(run).has_cancel_time());
}

}  // namespace
}  // namespace jobtail
