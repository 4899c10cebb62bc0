// Tests of DeleteRun, also at the same moment as a run's end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/following.h"
#include "tests/server/support/stored_runs.h"

namespace jobtail {
namespace {

using testing::Gate;
using ::testing::IsEmpty;

using DeleteRun = testing::EngineTest;

TEST_F(DeleteRun, IsRefusedWhileTheJobIsAtWork) {
  AddWaitingJob("job");
  const std::string run = Start("job");
  const absl::Status refusal = Delete(run);
  EXPECT_EQ(refusal.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refusal.message()),
              ::testing::MatchesRegex("run .* has not ended \\(RUN_STATE_.*\\); "
                                      "cancel it first"));
  EXPECT_TRUE(TryGet(run).ok());
}

TEST_F(DeleteRun, TakesTheRunAndItsLogAway) {
  AddJob(Job("job", [](JobContext&) { puts("line"); }));
  const std::string run = Start("job");
  const std::string other = Start("job");
  AwaitResult(run);
  AwaitResult(other);
  ASSERT_TRUE(Delete(run).ok());
  const auto not_found =
      absl::NotFoundError(absl::StrCat("no run \"", run, "\"; ListRuns tells which there are"));
  EXPECT_EQ(TryGet(run).status(), not_found);
  EXPECT_EQ(Delete(run), not_found);
  EXPECT_EQ(Cancel(run).status(), not_found);
  v1::TailLogRequest tail;
  tail.set_run(run);
  EXPECT_EQ(engine_.TailLog(tail).status(), not_found);
  EXPECT_EQ(engine_.ListRuns({})->runs_size(), 1);
  EXPECT_EQ(memory_.GetExtent(run).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadLog(other).size(), 2) << "and no other";
}

TEST_F(DeleteRun, EndsReadersWithNotFound) {
  AddJob(Job("job", [](JobContext&) { puts("line"); }));
  const std::string run = Start("job");
  AwaitResult(run);
  v1::TailLogRequest tail;
  tail.set_run(run);
  const auto cursor = engine_.TailLog(tail);
  ASSERT_TRUE(cursor.ok());
  ASSERT_TRUE(Delete(run).ok());
  std::vector<Slice> slices;
  EXPECT_TRUE(absl::IsNotFound((*cursor)->Read(1 << 20, &slices).status()));
}

TEST_F(DeleteRun, WithoutAnIdIsInvalid) {
  EXPECT_EQ(Delete(""), absl::InvalidArgumentError("run is empty; give a run's id"));
}

TEST_F(DeleteRun, ReportsThatTheStoreCannot) {
  AddJob(Job("job", [](JobContext&) {}));
  const std::string run = Start("job");
  AwaitResult(run);
  store_.Fail(Call::kDeleteRun, absl::UnavailableError("the disk is gone"), 1);
  EXPECT_EQ(Delete(run), absl::UnavailableError("the disk is gone"));
  EXPECT_TRUE(TryGet(run).ok()) << "it is still there";
  EXPECT_TRUE(Delete(run).ok()) << "and may be deleted later";
}

// Whoever has seen the result may delete the run, though its last state is yet to be stored.
TEST_F(DeleteRun, IsNotUndoneByTheRunsLastStateThatIsStoredLater) {
  AddJob(Job("job", [](JobContext&) {}));
  for (int i = 0; i < 300; ++i) {
    const std::string run = Start("job");
    AwaitResult(run);
    ASSERT_TRUE(Delete(run).ok());
  }
  engine_.Stop(absl::InfiniteDuration());
  EXPECT_THAT(*testing::LoadRuns(memory_), IsEmpty());
}

TEST_F(DeleteRun, FromTheFirstSightOfTheResultIsNotUndoneEither) {
  Gate gate;
  AddJob(Job("job", [&](JobContext&) { gate.Pass(); }));
  v1::TailLogRequest tail = testing::Follow();
  tail.set_run(Start("job"));
  const auto cursor = engine_.TailLog(tail);
  ASSERT_TRUE(cursor.ok());
  gate.AwaitArrival();
  std::vector<Slice> slices;
  ASSERT_TRUE((*cursor)->Read(1 << 20, &slices).ok());
  absl::Notification deleted;
  // A reader is woken by the thread that has just stored the result and has more to do.
  ASSERT_TRUE((*cursor)->Wait([&] {
    EXPECT_TRUE(Delete(tail.run()).ok());
    deleted.Notify();
  }));
  gate.Open();
  deleted.WaitForNotification();
  engine_.Stop(absl::InfiniteDuration());
  EXPECT_THAT(*testing::LoadRuns(memory_), IsEmpty());
}

// The engine may be destroyed once it says that no run is left.
TEST_F(DeleteRun, DoesNotHideThatTheRunsThreadIsStillAtWork) {
  for (int i = 0; i < 200; ++i) {
    MemoryStore store;
    Engine engine(&store);
    ASSERT_TRUE(engine.AddJob(Job("job", [](JobContext&) {})).ok());
    v1::RunJobRequest request;
    request.set_job("job");
    auto started = engine.RunJob(request);
    testing::ReadToEnd(*started->cursor);
    v1::DeleteRunRequest deletion;
    deletion.set_run(started->run);
    ASSERT_TRUE(engine.DeleteRun(deletion).ok());
    started->cursor.reset();
    engine.Stop(absl::InfiniteDuration());
  }
}

TEST_F(DeleteRun, OfTheSameRunFromManyThreadsSucceedsOnce) {
  AddJob(Job("job", [](JobContext&) {}));
  for (int i = 0; i < 50; ++i) {
    const std::string run = Start("job");
    AwaitResult(run);
    std::atomic<int> deleted = 0;
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
          const absl::Status status = Delete(run);
          EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
          deleted += status.ok() ? 1 : 0;
        });
      }
    }
    EXPECT_EQ(deleted, 1);
  }
  engine_.Stop(absl::InfiniteDuration());
  EXPECT_THAT(*testing::LoadRuns(memory_), IsEmpty());
}

}  // namespace
}  // namespace jobtail
