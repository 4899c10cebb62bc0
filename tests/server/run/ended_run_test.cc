// What is kept in memory of runs that have ended, and where the rest comes from.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>

#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/stored_runs.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;

class EndedRun : public testing::EngineTest {
 protected:
  EndedRun() {
    AddJob(Job("job", [](JobContext&) {}).With(Parameter::String("text").Default("")));
    AddJob(Job("waits", [](JobContext& run) {
             run.SleepFor(absl::InfiniteDuration());
           }).With(Parameter::String("text")));
  }

  // A run that nobody executes any more.
  std::string RunWith(const std::string& text) {
    const std::string run = Start("job", {{"text", text}});
    AwaitResult(run);
    engine_.Stop(absl::InfiniteDuration());
    return run;
  }

  const std::string large_ = std::string(1'000'000, 'x');
};

TEST_F(EndedRun, IsListedWithItsParametersCutShort) {
  RunWith(large_);
  const v1::ListRunsResponse response = *engine_.ListRuns({});
  EXPECT_LT(response.ByteSizeLong(), 1000);
  EXPECT_THAT(response.runs(0).cut_parameters(), ElementsAre("text"));
  EXPECT_EQ(response.runs(0).parameters().at("text"), large_.substr(0, 256));
}

TEST_F(EndedRun, IsWatchedWithItsParametersCutShort) {
  const auto watch = engine_.WatchRuns({});
  RunWith(large_);
  std::optional<v1::Run> last;
  while (const auto seen = (*watch)->Next()) last = seen;
  ASSERT_TRUE(last.has_value());
  EXPECT_THAT(last->cut_parameters(), ElementsAre("text"));
  EXPECT_LT(last->ByteSizeLong(), 1000);
}

TEST_F(EndedRun, IsHadWholeFromGetRun) {
  const std::string run = RunWith(large_);
  const v1::Run whole = Get(run);
  EXPECT_EQ(whole.parameters().at("text"), large_);
  EXPECT_EQ(whole.cut_parameters_size(), 0);
  EXPECT_EQ(whole.state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(store_.count(Call::kGetRun), 1);
}

TEST_F(EndedRun, AsksNoStoreWhereNothingIsCut) {
  EXPECT_EQ(Get(RunWith("short")).parameters().at("text"), "short");
  EXPECT_EQ(store_.count(Call::kGetRun), 0);
}

TEST_F(EndedRun, IsWholeEverywhereUntilItEnds) {
  const std::string run = Start("waits", {{"text", large_}});
  EXPECT_EQ(engine_.ListRuns({})->runs(0).parameters().at("text"), large_);
  EXPECT_EQ(Get(run).parameters().at("text"), large_);
  EXPECT_EQ(store_.count(Call::kGetRun), 0);
}

TEST_F(EndedRun, ThatIsReadFromAHungStoreKeepsNobodyFromAnythingElse) {
  const std::string run = RunWith(large_);
  store_.Block(Call::kGetRun);
  std::jthread reader([&] { EXPECT_EQ(Get(run).parameters().at("text"), large_); });
  store_.AwaitBlocked(Call::kGetRun);
  EXPECT_EQ(engine_.ListRuns({})->runs_size(), 1);
  EXPECT_TRUE(Cancel(run).ok());
  EXPECT_EQ(engine_.CountRuns().size(), 1);
  EXPECT_EQ(ReadLog(run).size(), 1);
  store_.Unblock(Call::kGetRun);
}

TEST_F(EndedRun, SaysThatTheStoreCannotBeRead) {
  const std::string run = RunWith(large_);
  store_.Fail(Call::kGetRun, absl::UnavailableError("the disk is gone"), 1);
  EXPECT_EQ(TryGet(run).status(), absl::UnavailableError("the disk is gone"));
  EXPECT_TRUE(TryGet(run).ok());
}

TEST_F(EndedRun, OfAnEarlierServerIsTheSame) {
  const std::string run = RunWith(large_);
  const v1::Run listed = engine_.ListRuns({})->runs(0);
  const v1::Run whole = Get(run);
  Engine next(&store_);
  ASSERT_TRUE(next.Recover().ok());
  EXPECT_EQ(next.ListRuns({})->runs(0).DebugString(), listed.DebugString());
  v1::GetRunRequest request;
  request.set_run(run);
  EXPECT_EQ(next.GetRun(request)->DebugString(), whole.DebugString());
}

TEST_F(EndedRun, IsStoredWhole) {
  RunWith(large_);
  const auto stored = testing::LoadRuns(memory_);
  EXPECT_EQ(stored->at(0).run().parameters().at("text"), large_);
  EXPECT_EQ(stored->at(0).run().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(EndedRun, IsDeletedWithoutItsParameters) {
  const auto watch = engine_.WatchRuns({});
  ASSERT_TRUE(Delete(RunWith(large_)).ok());
  std::optional<v1::Run> last;
  while (const auto seen = (*watch)->Next()) last = seen;
  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->has_delete_time());
  EXPECT_EQ(last->parameters_size() + last->cut_parameters_size(), 0);
}

}  // namespace
}  // namespace jobtail
