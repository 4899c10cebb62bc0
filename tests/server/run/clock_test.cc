// What becomes of runs when somebody sets the clock while they are at work.

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/run/engine_fixture.h"

namespace jobtail {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using testing::Gate;

// The parameter is by how much the clock is set forward.
class Clocks : public testing::ClockedEngineTest,
               public ::testing::WithParamInterface<absl::Duration> {
 protected:
  explicit Clocks(const RetentionOptions& retention = {})
      : ClockedEngineTest({.retention = retention}) {
    AddJob(Job("six-seconds", [this](JobContext&) {
      puts("before");
      fflush(stdout);
      clock_.Advance(absl::Seconds(3));
      clock_.SetForward(GetParam());
      clock_.Advance(absl::Seconds(3));
      puts("after");
    }));
  }

  std::vector<std::string> Runs() {
    std::vector<std::string> runs;
    const absl::StatusOr<v1::ListRunsResponse> response = engine_.ListRuns({});
    for (const v1::Run& run : response->runs()) runs.push_back(run.id());
    return runs;
  }
};

INSTANTIATE_TEST_SUITE_P(Steps, Clocks,
                         ::testing::Values(absl::ZeroDuration(), absl::Hours(-1), absl::Hours(24)),
                         [](const auto& step) {
                           if (step.param == absl::ZeroDuration()) return "Kept";
                           return step.param < absl::ZeroDuration() ? "SetBack" : "SetForward";
                         });

TEST_P(Clocks, TellHowLongAJobTook) {
  const v1::RunResult result = Run("six-seconds").back().result();
  EXPECT_EQ(TimeUtil::ToString(result.duration()), "6s");
}

TEST_P(Clocks, NeverHaveARunEndBeforeItStarts) {
  const std::string id = Start("six-seconds");
  AwaitResult(id);
  const v1::Run run = Get(id);
  EXPECT_GE(run.start_time(), run.create_time());
  EXPECT_GE(run.end_time(), run.start_time());
}

TEST_P(Clocks, TellTheSpeedOfAJob) {
  AddJob(Job("reports", [this](JobContext& run) {
    clock_.SetForward(GetParam());
    clock_.Advance(absl::Seconds(2));
    run.Progress(0.25);
  }));
  const std::string run = Start("reports");
  AwaitResult(run);
  EXPECT_EQ(Get(run).progress().rate(), 0.125);
}

TEST_P(Clocks, EndAJobThatExceedsItsTimeoutAndNoneBefore) {
  Gate gate;
  AddJob(Job("job", [&](JobContext& run) {
           gate.Pass();
           run.SleepFor(absl::InfiniteDuration());
         }).Timeout(absl::Hours(1)));
  const std::string run = Start("job");
  gate.AwaitArrival();
  clock_.SetForward(GetParam());
  clock_.Advance(absl::Minutes(59));
  gate.Open();
  EXPECT_EQ(Get(run).state(), v1::RUN_STATE_RUNNING);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_TIMED_OUT);
}

TEST_P(Clocks, ListRunsInTheOrderOfTheirCreation) {
  const std::string first = Start("six-seconds");
  AwaitResult(first);
  const std::string second = Start("six-seconds");
  AwaitResult(second);
  EXPECT_THAT(Runs(), ElementsAre(second, first));
}

class Keeping : public Clocks {
 protected:
  Keeping() : Clocks({.max_age = absl::Hours(12), .interval = absl::InfiniteDuration()}) {}
};

INSTANTIATE_TEST_SUITE_P(Steps, Keeping,
                         ::testing::Values(absl::ZeroDuration(), absl::Hours(-1), absl::Hours(24),
                                           absl::Hours(-24)));

TEST_P(Keeping, GoesByTheTimeThatHasPassed) {
  const std::string run = Start("six-seconds");
  AwaitResult(run);
  engine_.ApplyRetention();
  clock_.SetForward(GetParam());
  engine_.ApplyRetention();
  EXPECT_THAT(Runs(), ElementsAre(run)) << "it has just ended";
  clock_.Advance(absl::Hours(13));
  engine_.ApplyRetention();
  EXPECT_THAT(Runs(), ::testing::IsEmpty());
}

// A server is started anew, perhaps after its clock has been set.
TEST_P(Keeping, TakesARunOverThatSeemsToHaveEndedInTheFuture) {
  const std::string run = Start("six-seconds");
  AwaitResult(run);
  engine_.Stop(absl::InfiniteDuration());
  clock_.SetForward(absl::Hours(-48));
  Engine next(&store_,
              {.retention = {.max_age = absl::Hours(12), .interval = absl::InfiniteDuration()},
               .clock = &clock_});
  ASSERT_TRUE(next.Recover().ok());
  next.ApplyRetention();
  EXPECT_EQ(next.ListRuns({})->runs_size(), 1);
  clock_.Advance(absl::Hours(13));
  next.ApplyRetention();
  EXPECT_EQ(next.ListRuns({})->runs_size(), 0);
}

TEST_P(Keeping, DeletesTheOldestWhateverTheClockSaid) {
  const std::string run = Start("six-seconds");
  AwaitResult(run);
  engine_.Stop(absl::InfiniteDuration());
  clock_.SetForward(GetParam());
  Engine next(&store_, {.retention = {.max_runs = 1, .interval = absl::InfiniteDuration()},
                        .clock = &clock_});
  ASSERT_TRUE(next.AddJob(Job("job", [](JobContext&) {})).ok());
  ASSERT_TRUE(next.Recover().ok());
  v1::CreateRunRequest request;
  request.set_job("job");
  const std::string newer = next.CreateRun(request)->id();
  next.Stop(absl::InfiniteDuration());
  next.ApplyRetention();
  ASSERT_EQ(next.ListRuns({})->runs_size(), 1);
  EXPECT_EQ(next.ListRuns({})->runs(0).id(), newer);
}

}  // namespace
}  // namespace jobtail
