// The engine's end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/run/engine_fixture.h"

namespace jobtail {
namespace {

using testing::Gate;

using StopTest = testing::ClockedEngineTest;

TEST_F(StopTest, CancelsRunsAndWaitsForThem) {
  AddWaitingJob("job");
  std::vector<std::string> runs;
  for (int i = 0; i < 5; ++i) runs.push_back(Start("job"));
  EXPECT_EQ(engine_.Stop(absl::InfiniteDuration()), 0);
  for (const std::string& run : runs) {
    EXPECT_EQ(Get(run).state(), v1::RUN_STATE_CANCELLED);
    EXPECT_EQ(Get(run).result().error(), "the server shut down");
    EXPECT_TRUE(Get(run).has_cancel_time());
  }
}

TEST_F(StopTest, RefusesNewRuns) {
  AddJob(Job("job", [](JobContext&) {}));
  const std::string before = Create("job", {}, "id")->id();
  engine_.Stop(absl::InfiniteDuration());
  EXPECT_EQ(Create("job").status(),
            absl::UnavailableError("the server is shutting down; try again when it is back"));
  const absl::StatusOr<v1::Run> repeated = Create("job", {}, "id");
  ASSERT_TRUE(repeated.ok()) << "what was accepted before is found: " << repeated.status();
  EXPECT_EQ(repeated->id(), before);
}

TEST_F(StopTest, StillAnswersEverythingElse) {
  AddJob(Job("job", [](JobContext&) { puts("line"); }));
  const std::string run = Start("job");
  engine_.Stop(absl::InfiniteDuration());
  EXPECT_EQ(ReadLog(run).size(), 2);
  EXPECT_EQ(engine_.ListRuns({})->runs_size(), 1);
  EXPECT_EQ(engine_.ListJobs({})->jobs_size(), 1);
}

TEST_F(StopTest, TellsHowManyDoNotHeedIt) {
  Gate first;
  Gate second;
  AddJob(Job("first", [&](JobContext&) { first.Pass(); }));
  AddJob(Job("second", [&](JobContext&) { second.Pass(); }));
  AddWaitingJob("heeds");
  Start("first");
  Start("second");
  const std::string heeds = Start("heeds");
  engine_.Stop(absl::ZeroDuration());
  AwaitResult(heeds);
  EXPECT_EQ(engine_.Stop(absl::ZeroDuration()), 2);
  first.Open();
  second.Open();
  EXPECT_EQ(engine_.Stop(absl::InfiniteDuration()), 0);
}

// Whatever becomes of the time of day meanwhile.
TEST_F(StopTest, WaitsForItsGraceAndNoLonger) {
  Gate gate;
  AddJob(Job("job", [&](JobContext&) { gate.Pass(); }));
  Start("job");
  gate.AwaitArrival();
  std::atomic<bool> stopped = false;
  std::jthread stopping([&] {
    EXPECT_EQ(engine_.Stop(absl::Hours(1)), 1);
    stopped = true;
  });
  clock_.SetForward(absl::Hours(24));
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  EXPECT_FALSE(stopped);
  clock_.SetForward(absl::Hours(-48));
  while (!stopped) clock_.Advance(absl::Minutes(1));
  gate.Open();
  EXPECT_EQ(engine_.Stop(absl::InfiniteDuration()), 0);
}

TEST_F(StopTest, DoesNotTouchRunsThatHaveEnded) {
  AddJob(Job("job", [](JobContext&) {}));
  const std::string run = Start("job");
  AwaitResult(run);
  engine_.Stop(absl::InfiniteDuration());
  EXPECT_EQ(Get(run).state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_FALSE(Get(run).has_cancel_time());
}

}  // namespace
}  // namespace jobtail
