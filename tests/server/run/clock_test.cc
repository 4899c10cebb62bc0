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

// Machines without a clock of their own, or with a wrong one, start like this.
class Settling : public Keeping {
 protected:
  Settling() {
    AddJob(Job("prints", [](JobContext&) { puts("x"); }));
  }

  // What the next server keeps of a run that has just ended, if it starts with a clock that is so
  // far ahead, which is set right by `correction` some minutes later.
  std::vector<int> Kept(absl::Duration ahead, absl::Duration correction) {
    AwaitResult(Start("prints"));
    engine_.Stop(absl::InfiniteDuration());
    clock_.SetForward(ahead);
    Engine next(&store_, {.retention = options_, .clock = &clock_});
    EXPECT_TRUE(next.Recover().ok());
    std::vector<int> kept;
    const auto look = [&] {
      next.ApplyRetention();
      kept.push_back(next.ListRuns({})->runs_size());
    };
    look();
    clock_.Advance(absl::Minutes(5));
    look();
    clock_.SetForward(correction);
    clock_.Advance(absl::Minutes(6));
    look();
    clock_.Advance(absl::Hours(11));
    look();
    clock_.Advance(absl::Hours(2));
    look();
    return kept;
  }

  const RetentionOptions options_ = {.max_age = absl::Hours(12),
                                     .interval = absl::InfiniteDuration()};
};

INSTANTIATE_TEST_SUITE_P(Ahead, Settling,
                         ::testing::Values(absl::Hours(24), absl::Hours(24 * 365)));

TEST_P(Settling, AClockThatIsSetRightSoonDeletesNothing) {
  EXPECT_THAT(Kept(GetParam(), -GetParam()), ElementsAre(1, 1, 1, 1, 0));
}

// It may as well have been off for so long.
TEST_P(Settling, AClockThatStaysAheadIsBelieved) {
  EXPECT_THAT(Kept(GetParam(), absl::ZeroDuration()), ElementsAre(1, 1, 0, 0, 0));
}

TEST_P(Settling, AClockThatIsSetForwardMakesNoRunOlder) {
  EXPECT_THAT(Kept(absl::ZeroDuration(), GetParam()), ElementsAre(1, 1, 1, 1, 0));
}

// What this process has seen end needs no clock but its own.
TEST_P(Settling, RunsOfThisProcessAreDeletedInTime) {
  Engine engine(&store_,
                {.retention = {.max_age = absl::Minutes(2), .interval = absl::InfiniteDuration()},
                 .clock = &clock_});
  ASSERT_TRUE(engine.AddJob(Job("short", [](JobContext&) {})).ok());
  v1::CreateRunRequest request;
  request.set_job("short");
  ASSERT_TRUE(engine.CreateRun(request).ok());
  engine.Stop(absl::InfiniteDuration());
  engine.ApplyRetention();
  EXPECT_EQ(engine.ListRuns({})->runs_size(), 1);
  clock_.Advance(absl::Minutes(3));
  engine.ApplyRetention();
  EXPECT_EQ(engine.ListRuns({})->runs_size(), 0);
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
