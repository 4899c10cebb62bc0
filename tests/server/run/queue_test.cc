// Runs that wait for others, and those that are refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;

class QueueTest : public testing::EngineTest {
 protected:
  explicit QueueTest(const EngineOptions& options = {}) : EngineTest(options) {}
  // While the jobs have what they use.
  ~QueueTest() override { engine_.Stop(absl::InfiniteDuration()); }

  // A job that waits until it is asked to stop.
  Job Waiting(const std::string& name) {
    return Job(name, [this](JobContext& run) {
      {
        absl::MutexLock lock(&mutex_);
        executed_.push_back(run.run_id());
      }
      run.SleepFor(absl::InfiniteDuration());
    });
  }
  std::vector<std::string> AwaitExecuted(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&] { return executed_.size() >= count; };
    mutex_.Await(absl::Condition(&enough));
    return executed_;
  }

  absl::Mutex mutex_;
  std::vector<std::string> executed_;
};

TEST_F(QueueTest, RunsStartInOrderAsOthersEnd) {
  AddJob(Waiting("job").MaxRunning(1).MaxQueued(2));
  std::vector<std::string> runs;
  for (int i = 0; i < 3; ++i) runs.push_back(Start("job"));
  for (size_t i = 0; i < runs.size(); ++i) {
    EXPECT_EQ(AwaitExecuted(i + 1).back(), runs[i]);
    for (size_t later = i + 1; later < runs.size(); ++later) {
      EXPECT_EQ(Get(runs[later]).state(), v1::RUN_STATE_PENDING);
      EXPECT_FALSE(Get(runs[later]).has_start_time());
    }
    Cancel(runs[i]).IgnoreError();
    AwaitResult(runs[i]);
  }
}

TEST_F(QueueTest, ARefusalSaysHowManyThereAre) {
  AddJob(Waiting("job").MaxRunning(2).MaxQueued(1));
  for (int i = 0; i < 3; ++i) Start("job");
  EXPECT_EQ(Create("job").status(),
            absl::ResourceExhaustedError(
                "job job: 2 runs at work (at most 2) and 1 queued (at most 1); on this server, 2 "
                "at work (at most 1000) and 1 queued (at most 1000); wait for one to end, or "
                "cancel one"));
}

TEST_F(QueueTest, ARunThatWaitsCanBeCancelledAndNeverStarts) {
  AddJob(Waiting("job").MaxRunning(1).MaxQueued(2));
  const std::string first = Start("job");
  const std::string second = Start("job");
  const std::string third = Start("job");
  EXPECT_TRUE(Cancel(second).ok());
  const v1::RunResult result = AwaitResult(second);
  EXPECT_EQ(result.state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(result.error(), "cancelled before the job was started");
  EXPECT_EQ(result.duration().seconds(), 0);
  EXPECT_FALSE(Get(second).has_start_time());
  Cancel(first).IgnoreError();
  EXPECT_THAT(AwaitExecuted(2), ElementsAre(first, third));
  EXPECT_TRUE(Create("job").ok()) << "its place is free again";
}

TEST_F(QueueTest, AJobAtItsLimitDoesNotHoldUpOthers) {
  AddJob(Waiting("narrow").MaxRunning(1).MaxQueued(5));
  AddJob(Job("other", [](JobContext&) {}));
  for (int i = 0; i < 3; ++i) Start("narrow");
  EXPECT_EQ(Run("other").size(), 1);
}

TEST_F(QueueTest, ThePlaceIsFreeOnceTheResultIsSeen) {
  AddJob(Job("job", [](JobContext&) {}).MaxRunning(1));
  for (int i = 0; i < 200; ++i) ASSERT_EQ(Run("job").size(), 1);
}

TEST_F(QueueTest, HasNoPlaceForARunThatTheStoreRefuses) {
  AddJob(Job("job", [](JobContext&) {}).MaxRunning(1));
  store_.Fail(Call::kPutRun, absl::UnavailableError("the disk is gone"), 1);
  EXPECT_FALSE(Create("job").ok());
  EXPECT_TRUE(Create("job").ok());
}

TEST_F(QueueTest, RunsThatWaitEndWhenTheServerStops) {
  AddJob(Waiting("job").MaxRunning(1).MaxQueued(50));
  std::vector<std::string> runs;
  for (int i = 0; i < 50; ++i) runs.push_back(Start("job"));
  EXPECT_EQ(engine_.Stop(absl::InfiniteDuration()), 0);
  for (const std::string& run : runs) {
    EXPECT_EQ(Get(run).state(), v1::RUN_STATE_CANCELLED);
  }
}

TEST_F(QueueTest, AreNotMixedUpByManyThreads) {
  std::atomic<int> running = 0;
  std::atomic<int> executed = 0;
  AddJob(Job("job",
             [&](JobContext&) {
               EXPECT_LE(++running, 3);
               ++executed;
               std::this_thread::yield();
               --running;
             })
             .MaxRunning(3)
             .MaxQueued(1000));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          const absl::StatusOr<v1::Run> run = Create("job");
          ASSERT_TRUE(run.ok()) << run.status();
          if (i % 2 == 0) AwaitResult(run->id());
        }
      });
    }
  }
  v1::ListRunsRequest all;
  all.set_page_size(1000);
  const absl::StatusOr<v1::ListRunsResponse> runs = engine_.ListRuns(all);
  ASSERT_TRUE(runs.ok()) << runs.status();
  for (const v1::Run& run : runs->runs()) AwaitResult(run.id());
  EXPECT_EQ(executed, 200);
}

class ServersQueueTest : public QueueTest {
 protected:
  ServersQueueTest() : QueueTest({.max_active_runs = 1, .max_queued_runs = 2}) {}
};

TEST_F(ServersQueueTest, HoldsRunsOfAllJobsThatMayWait) {
  AddJob(Waiting("a").MaxQueued(10));
  AddJob(Waiting("b").MaxQueued(10));
  AddJob(Waiting("c"));
  const std::string first = Start("a");
  const std::string second = Start("b");
  EXPECT_EQ(Create("c").status().code(), absl::StatusCode::kResourceExhausted)
      << "this one does not wait";
  Start("a");
  EXPECT_EQ(Create("b").status().code(), absl::StatusCode::kResourceExhausted);
  Cancel(first).IgnoreError();
  EXPECT_THAT(AwaitExecuted(2), ElementsAre(first, second));
}

TEST_F(QueueTest, LimitsThatMakeNoSenseAreRefused) {
  const auto add = [&](Job job) { return std::string(engine_.AddJob(std::move(job)).message()); };
  EXPECT_EQ(add(Waiting("job").MaxRunning(0)), "job job: max running 0: must be 1 or more");
  EXPECT_EQ(add(Waiting("job").MaxQueued(-1)), "job job: max queued -1: must be 0 or more");
  EXPECT_EQ(add(Waiting("job").KeepRuns(0)), "job job: keep runs 0: must be 1 or more");
}

TEST_F(QueueTest, AJobKeepsAsManyRunsAsItSays) {
  AddJob(Job("few", [](JobContext&) {}).KeepRuns(2));
  AddJob(Job("all", [](JobContext&) {}));
  std::vector<std::string> few;
  std::vector<std::string> all;
  for (int i = 0; i < 5; ++i) {
    few.push_back(Start("few"));
    AwaitResult(few.back());
    all.push_back(Start("all"));
    AwaitResult(all.back());
  }
  engine_.ApplyRetention();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(TryGet(few[i]).ok(), i >= 3) << i;
    EXPECT_TRUE(TryGet(all[i]).ok());
  }
}

}  // namespace
}  // namespace jobtail
