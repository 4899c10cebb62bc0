// How retention deletes: many runs at a time, and nobody waits for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/server/run/engine_fixture.h"

namespace jobtail {
namespace {

using ::testing::SizeIs;

constexpr int64_t kRuns = 300;
constexpr int64_t kKept = 10;

EngineOptions Keeping(RetentionOptions options) {
  options.interval = absl::InfiniteDuration();
  return {.retention = options};
}

class RetentionBatch : public testing::ClockedEngineTest {
 protected:
  explicit RetentionBatch(const RetentionOptions& options = {.max_runs = kKept})
      : ClockedEngineTest(Keeping(options)) {
    AddJob(Job("job", [](JobContext&) {}));
  }

  // Runs that have ended and are at rest. Returns their ids.
  std::vector<std::string> RunMany() {
    std::vector<std::string> runs;
    for (int64_t i = 0; i < kRuns; ++i) {
      runs.push_back(Start("job"));
      AwaitResult(runs.back());
    }
    return runs;
  }

  std::vector<std::string> Listed() {
    v1::ListRunsRequest request;
    request.set_page_size(1000);
    std::vector<std::string> runs;
    const absl::StatusOr<v1::ListRunsResponse> response = engine_.ListRuns(request);
    for (const v1::Run& run : response->runs()) runs.push_back(run.id());
    return runs;
  }
};

TEST_F(RetentionBatch, DeletesManyRunsWithFewCalls) {
  RunMany();
  engine_.Stop(absl::InfiniteDuration());
  const int64_t looks = store_.count(Call::kGetExtent);
  engine_.ApplyRetention();
  EXPECT_THAT(Listed(), SizeIs(kKept));
  EXPECT_LE(store_.count(Call::kDeleteRuns), kRuns / 100 + 1);
  EXPECT_EQ(store_.count(Call::kDeleteRun), 0);
  EXPECT_EQ(store_.count(Call::kGetExtent), looks) << "sizes are not limited";
  engine_.ApplyRetention();
  EXPECT_THAT(Listed(), SizeIs(kKept));
  EXPECT_LE(store_.count(Call::kDeleteRuns), kRuns / 100 + 1) << "nothing is left to do";
}

TEST_F(RetentionBatch, ARunThatCannotBeDeletedDoesNotKeepTheOthers) {
  RunMany();
  engine_.Stop(absl::InfiniteDuration());
  store_.Fail(Call::kDeleteRuns, absl::UnavailableError("no"), 2);  // all, and the first alone
  engine_.ApplyRetention();
  EXPECT_THAT(Listed(), SizeIs(kKept + 1));
  engine_.ApplyRetention();
  EXPECT_THAT(Listed(), SizeIs(kKept));
}

TEST_F(RetentionBatch, GivesUpForNowWhereNothingCanBeDeleted) {
  RunMany();
  engine_.Stop(absl::InfiniteDuration());
  store_.Fail(Call::kDeleteRuns, absl::UnavailableError("no"), 1'000'000);
  engine_.ApplyRetention();
  EXPECT_THAT(Listed(), SizeIs(kRuns));
  EXPECT_LT(store_.count(Call::kDeleteRuns), kRuns);
}

TEST_F(RetentionBatch, KeepsNobodyWaitingWhileItDeletes) {
  RunMany();
  store_.Block(Call::kDeleteRuns);
  std::jthread keeper([this] { engine_.ApplyRetention(); });
  store_.AwaitBlocked(Call::kDeleteRuns);
  const std::string run = Start("job");
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(Listed().front(), run);
  EXPECT_TRUE(Delete(run).ok());
  store_.Unblock(Call::kDeleteRuns);
}

class RetentionByAge : public RetentionBatch {
 protected:
  RetentionByAge() : RetentionBatch({.max_age = absl::Hours(1)}) {}
};

TEST_F(RetentionByAge, DeletesWhatHasEndedLongAgoWhenEverItBegan) {
  AddWaitingJob("long");
  const std::string begun_first = Start("long");
  const std::vector<std::string> runs = RunMany();
  clock_.Advance(absl::Minutes(50));
  Cancel(begun_first).IgnoreError();
  AwaitResult(begun_first);
  engine_.Stop(absl::InfiniteDuration());
  clock_.Advance(absl::Minutes(11));
  engine_.ApplyRetention();
  EXPECT_THAT(Listed(), ::testing::ElementsAre(begun_first));
  EXPECT_LE(store_.count(Call::kDeleteRuns), kRuns / 100 + 1);
  clock_.Advance(absl::Minutes(50));
  engine_.ApplyRetention();
  EXPECT_THAT(Listed(), ::testing::IsEmpty());
}

class RetentionBySize : public RetentionBatch {
 protected:
  RetentionBySize() : RetentionBatch({.max_total_bytes = 1 << 30}) {}
};

TEST_F(RetentionBySize, AsksOnceHowLargeALogIs) {
  RunMany();
  engine_.Stop(absl::InfiniteDuration());
  engine_.ApplyRetention();
  const int64_t looks = store_.count(Call::kGetExtent);
  engine_.ApplyRetention();
  EXPECT_EQ(store_.count(Call::kGetExtent), looks);
  EXPECT_THAT(Listed(), SizeIs(kRuns));
}

}  // namespace
}  // namespace jobtail
