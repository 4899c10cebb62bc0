// What GetRun and the log say about the same run at the same time.

#include "base/codec/run_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "server/log/record.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/following.h"
#include "tests/server/support/records.h"
#include "tests/server/support/stored_runs.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Gate;

class RunStateTest : public testing::EngineTest {
 protected:
  // The first message that a reader who comes now is sent.
  v1::LogLine FirstMessage(const std::string& run) {
    v1::TailLogRequest request;
    request.set_run(run);
    const auto cursor = engine_.TailLog(request);
    EXPECT_TRUE(cursor.ok()) << cursor.status();
    return testing::ReadToEnd(**cursor).at(0);
  }

  static int64_t Nanos(const google::protobuf::Timestamp& time) { return ToUnixNanos(time); }
};

TEST_F(RunStateTest, GoesFromPendingToRunningToTheResult) {
  Gate gate;
  AddJob(Job("job", [&](JobContext&) { gate.Pass(); }));
  const absl::StatusOr<v1::Run> created = Create("job");
  ASSERT_TRUE(created.ok());
  EXPECT_THAT(created->state(), ::testing::AnyOf(v1::RUN_STATE_PENDING, v1::RUN_STATE_RUNNING));
  gate.AwaitArrival();
  const v1::Run running = Get(created->id());
  EXPECT_EQ(running.state(), v1::RUN_STATE_RUNNING);
  EXPECT_GE(Nanos(running.start_time()), Nanos(running.create_time()));
  EXPECT_FALSE(running.has_end_time());
  EXPECT_FALSE(running.has_result());
  gate.Open();
  AwaitResult(created->id());
  const v1::Run ended = Get(created->id());
  EXPECT_EQ(ended.state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_GE(Nanos(ended.end_time()), Nanos(ended.start_time()));
  EXPECT_EQ(ended.result().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_FALSE(ended.has_cancel_time());
}

TEST_F(RunStateTest, IsFinalForWhoeverHasSeenTheResult) {
  AddJob(Job("job", [](JobContext&) { puts("line"); }));
  for (int i = 0; i < 300; ++i) {
    const std::string run = Start("job");
    const v1::LogLine last = AwaitLog(run).back();
    const v1::Run now = Get(run);
    ASSERT_EQ(now.state(), v1::RUN_STATE_SUCCEEDED);
    ASSERT_EQ(now.result().DebugString(), last.result().DebugString());
    ASSERT_EQ(now.last_sequence(), 2);
    ASSERT_TRUE(now.has_end_time());
  }
}

TEST_F(RunStateTest, ComesWithTheResultInTheLogForWhoeverSeesThatItIsFinal) {
  AddJob(Job("job", [](JobContext&) { puts("line"); }));
  for (int i = 0; i < 300; ++i) {
    const std::string run = Start("job");
    v1::Run now = Get(run);
    while (!IsFinal(now.state())) {
      std::this_thread::yield();
      now = Get(run);
    }
    ASSERT_EQ(now.last_sequence(), 2) << "the number of the result";
    ASSERT_THAT(testing::Texts(ReadLog(run)), ElementsAre("line", "result"));
  }
}

TEST_F(RunStateTest, TellsTheLastRecord) {
  Gate gate;
  AddJob(Job("job", [&](JobContext&) {
    puts("one");
    puts("two");
    gate.Pass();
  }));
  const std::string run = Start("job");
  gate.AwaitArrival();
  while (Get(run).last_sequence() < 2) std::this_thread::yield();
  EXPECT_EQ(FirstMessage(run).run().last_sequence(), 2) << "to a reader who comes now";
  gate.Open();
  AwaitResult(run);
  EXPECT_EQ(Get(run).last_sequence(), 3);
  EXPECT_EQ(FirstMessage(run).run().last_sequence(), 3);
}

TEST_F(RunStateTest, IsToldAsItIsToAReaderWhoComesAfterTheEnd) {
  AddJob(Job("job", [](JobContext&) { return 3; }));
  const std::string run = Start("job");
  AwaitResult(run);
  const v1::LogLine first = FirstMessage(run);
  ASSERT_TRUE(first.has_run());
  EXPECT_EQ(first.run().state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(first.run().result().exit_code(), 3);
  EXPECT_EQ(first.run().DebugString(), Get(run).DebugString());
}

TEST_F(RunStateTest, IsToldBeforeTheResultAndNeverAfterIt) {
  AddJob(Job("job", [](JobContext& run) {
    run.Progress(0.5);
    puts("line");
    run.Progress(1);
  }));
  for (int i = 0; i < 100; ++i) {
    v1::TailLogRequest request = testing::Follow();
    request.set_run(Start("job"));
    const auto cursor = engine_.TailLog(request);
    ASSERT_TRUE(cursor.ok());
    const std::vector<v1::LogLine> lines = testing::ReadToEnd(**cursor, 1);
    ASSERT_TRUE(lines.front().has_run());
    ASSERT_TRUE(lines.back().has_result());
  }
}

TEST_F(RunStateTest, IsStoredAtEachChange) {
  Gate gate;
  AddJob(Job("job", [&](JobContext&) { gate.Pass(); }));
  const std::string run = Start("job");
  gate.AwaitArrival();
  EXPECT_EQ(testing::LoadRuns(memory_)->at(0).run().state(), v1::RUN_STATE_RUNNING);
  gate.Open();
  AwaitResult(run);
  engine_.Stop(absl::InfiniteDuration());
  EXPECT_EQ(testing::LoadRuns(memory_)->at(0).run().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(testing::LoadRuns(memory_)->at(0).run().result().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(RunStateTest, IsTheSameWhenTheStoreCannotKeepIt) {
  AddJob(Job("job", [](JobContext&) {}));
  store_.AfterNext(Call::kPutRun, [this] {
    store_.Fail(Call::kPutRun, absl::UnavailableError("the disk is gone"), 1 << 30);
  });
  const std::string run = Start("job");
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(Get(run).state(), v1::RUN_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace jobtail
