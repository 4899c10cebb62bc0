// WatchRuns: the changes of all runs, in their order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "base/codec/run_state.h"
#include "tests/server/run/engine_fixture.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Gate;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

class RunWatchTest : public testing::EngineTest {
 protected:
  RunWatchTest() {
    AddJob(Job("quick", [](JobContext&) {}));
    AddJob(Job("other", [](JobContext&) {}));
    AddWaitingJob("waits");
  }

  std::unique_ptr<RunWatch> Watch(const std::string& job = "") {
    v1::WatchRunsRequest request;
    request.set_job(job);
    auto watch = engine_.WatchRuns(request);
    EXPECT_TRUE(watch.ok()) << watch.status();
    return *std::move(watch);
  }

  // The next change, waiting for it if need be.
  static v1::Run Next(RunWatch& watch) {
    while (true) {
      if (const auto run = watch.Next()) return *run;
      absl::Notification woken;
      if (watch.Wait([&] { woken.Notify(); })) woken.WaitForNotification();
    }
  }

  // The changes up to and with the end of `run`.
  static std::vector<v1::Run> UntilEnd(RunWatch& watch, const std::string& run) {
    std::vector<v1::Run> changes;
    do {
      changes.push_back(Next(watch));
    } while (changes.back().id() != run || !IsFinal(changes.back().state()));
    return changes;
  }

  static std::vector<std::string> Ids(RunWatch& watch) {
    std::vector<std::string> ids;
    while (const auto run = watch.Next()) ids.push_back(run->id());
    return ids;
  }

  // Starts a run and waits until it has ended. That its last change was told comes a moment later.
  std::string RunToTheEnd(const std::string& job) {
    const auto watch = Watch();
    const std::string run = Start(job);
    UntilEnd(*watch, run);
    return run;
  }

  // Waits until every change has been told.
  void Settle() { engine_.Stop(absl::InfiniteDuration()); }
};

TEST_F(RunWatchTest, TellsNothingWhereNothingHappens) {
  RunToTheEnd("quick");
  Settle();
  const auto watch = Watch();
  EXPECT_FALSE(watch->Next());
}

TEST_F(RunWatchTest, FollowsARunToItsEnd) {
  const auto watch = Watch();
  const std::string run = Start("quick");
  int state = 0;
  for (const v1::Run& change : UntilEnd(*watch, run)) {
    EXPECT_EQ(change.id(), run);
    EXPECT_GE(change.state(), state) << "forward only";
    state = change.state();
  }
  EXPECT_EQ(state, v1::RUN_STATE_SUCCEEDED);
}

TEST_F(RunWatchTest, BeginsWithTheRunsThatHaveNotEnded) {
  const std::string first = Start("waits");
  RunToTheEnd("quick");
  const std::string second = Start("waits");
  while (Get(first).state() != v1::RUN_STATE_RUNNING ||
         Get(second).state() != v1::RUN_STATE_RUNNING) {
    std::this_thread::yield();
  }
  const auto watch = Watch();
  EXPECT_EQ(Next(*watch).id(), first);
  EXPECT_EQ(Next(*watch).id(), second);
}

TEST_F(RunWatchTest, TellsThatARunWasAskedToStop) {
  Gate gate;
  AddJob(Job("job", [&](JobContext&) { gate.Pass(); }));
  const std::string run = Start("job");
  gate.AwaitArrival();
  const auto watch = Watch();
  EXPECT_FALSE(Next(*watch).has_cancel_time());
  Cancel(run).IgnoreError();
  v1::Run change = Next(*watch);
  while (!change.has_cancel_time()) change = Next(*watch);
  EXPECT_EQ(change.state(), v1::RUN_STATE_RUNNING);
  gate.Open();
  EXPECT_EQ(UntilEnd(*watch, run).back().state(), v1::RUN_STATE_CANCELLED);
}

TEST_F(RunWatchTest, TellsASlowReaderTheLastOfSeveralChanges) {
  const auto watch = Watch();
  std::vector<std::string> runs;
  for (int i = 0; i < 10; ++i) runs.push_back(RunToTheEnd("quick"));
  Settle();
  std::vector<std::string> seen;
  while (const auto run = watch->Next()) {
    EXPECT_EQ(run->state(), v1::RUN_STATE_SUCCEEDED);
    EXPECT_TRUE(run->has_result());
    seen.push_back(run->id());
  }
  EXPECT_THAT(seen, UnorderedElementsAreArray(runs)) << "each once";
}

TEST_F(RunWatchTest, TellsOfADeletedRunOnceMore) {
  const std::string run = RunToTheEnd("quick");
  const auto watch = Watch();
  ASSERT_TRUE(Delete(run).ok());
  const v1::Run change = Next(*watch);
  EXPECT_EQ(change.id(), run);
  EXPECT_TRUE(change.has_delete_time());
  EXPECT_EQ(change.state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_FALSE(watch->Next());
}

TEST_F(RunWatchTest, TellsASlowReaderOfManyDeletions) {
  const auto watch = Watch();
  std::vector<std::string> runs;
  for (int i = 0; i < 20; ++i) {
    runs.push_back(RunToTheEnd("quick"));
    ASSERT_TRUE(Delete(runs.back()).ok());
  }
  EXPECT_EQ(Ids(*watch), runs);
}

TEST_F(RunWatchTest, MayBeOfOneJob) {
  const auto watch = Watch("other");
  RunToTheEnd("quick");
  const std::string run = RunToTheEnd("other");
  Settle();
  EXPECT_THAT(Ids(*watch), ElementsAre(run));
}

TEST_F(RunWatchTest, OfOneJobBeginsWithItsRunsAlone) {
  Start("waits");
  const auto watch = Watch("other");
  EXPECT_THAT(Ids(*watch), IsEmpty());
}

TEST_F(RunWatchTest, OfAJobThatThereIsNotIsRefused) {
  v1::WatchRunsRequest request;
  request.set_job("nope");
  EXPECT_EQ(engine_.WatchRuns(request).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RunWatchTest, IsNotCalledBackOnceDestroyed) {
  bool woken = false;
  {
    const auto watch = Watch();
    ASSERT_TRUE(watch->Wait([&] { woken = true; }));
  }
  RunToTheEnd("quick");
  EXPECT_FALSE(woken);
}

TEST_F(RunWatchTest, MissesNoEndWhileRunsAreStartedFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  const auto watch = Watch();
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) Start("quick");
    });
  }
  std::map<std::string, int> states;
  int ended = 0;
  while (ended < kThreads * kEach) {
    const v1::Run change = Next(*watch);
    int& state = states[change.id()];
    ASSERT_GE(change.state(), state);
    if (IsFinal(change.state()) && state != change.state()) ++ended;
    state = change.state();
  }
  EXPECT_EQ(states.size(), kThreads * kEach);
}

}  // namespace
}  // namespace jobtail
