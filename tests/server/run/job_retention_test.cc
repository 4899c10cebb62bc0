// What a job declares of how long its runs are kept, however it has come to the engine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/server/run/engine_fixture.h"
#include "tests/support/passing_time.h"

namespace jobtail {
namespace {

// The parameter: whether jobs are added all at once, as those of a config file are.
class JobRetentionTest : public testing::ClockedEngineTest,
                         public ::testing::WithParamInterface<bool> {
 protected:
  JobRetentionTest() : ClockedEngineTest({.retention = {.interval = absl::Seconds(1)}}) {}

  void Add(Job job) {
    if (!GetParam()) return AddJob(std::move(job));
    std::vector<Job> jobs;
    jobs.push_back(std::move(job));
    ASSERT_TRUE(engine_.ReplaceJobs({}, std::move(jobs)).ok());
  }

  // Starts so many runs, one after the other.
  void RunTimes(const std::string& job, int times) {
    for (int i = 0; i < times; ++i) AwaitResult(Start(job));
  }

  // Lets time pass until so many runs are left.
  void AwaitRuns(int count) {
    const PassingTime passing(&clock_);
    while (engine_.ListRuns({})->runs_size() > count) std::this_thread::yield();
    EXPECT_EQ(engine_.ListRuns({})->runs_size(), count);
  }
};

INSTANTIATE_TEST_SUITE_P(Ways, JobRetentionTest, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "ReplaceJobs" : "AddJob"; });

TEST_P(JobRetentionTest, KeepsSoManyRunsOfAJob) {
  Add(Job("few", [](JobContext&) {}).KeepRuns(2));
  Add(Job("all", [](JobContext&) {}));
  RunTimes("few", 5);
  RunTimes("all", 5);
  AwaitRuns(7);
}

TEST_P(JobRetentionTest, KeepsRunsForSoLong) {
  Add(Job("job", [](JobContext&) {}).KeepAge(absl::Minutes(1)));
  RunTimes("job", 3);
  clock_.Advance(absl::Minutes(1));
  AwaitRuns(0);
}

TEST_P(JobRetentionTest, KeepsSoMuchOfALog) {
  Add(Job("job", [](JobContext&) {
        for (int i = 0; i < 1000; ++i) puts(std::string(1000, 'x').c_str());
      }).KeepRunBytes(300'000));
  const std::string run = Start("job");
  AwaitResult(run);
  const PassingTime passing(&clock_);
  while (store_.GetExtent(run)->bytes > 300'000) std::this_thread::yield();
  EXPECT_TRUE(ReadLog(run).front().has_gap());
}

// A job of a config file that is read again with other limits.
TEST_P(JobRetentionTest, GoesByWhatTheJobSaysNow) {
  Add(Job("job", [](JobContext&) {}));
  RunTimes("job", 3);
  std::vector<Job> jobs;
  jobs.push_back(Job("job", [](JobContext&) {}).KeepRuns(1));
  ASSERT_TRUE(engine_.ReplaceJobs({"job"}, std::move(jobs)).ok());
  AwaitRuns(1);
}

}  // namespace
}  // namespace jobtail
