// ListJobs and ListRuns.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/run/engine_fixture.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Parameters;
using ::testing::SizeIs;

class ListTest : public testing::EngineTest {
 protected:
  ListTest() {
    AddJob(Job("quick", [](JobContext&) {}));
    AddJob(Job("fails", [](JobContext&) { return 1; }));
    AddWaitingJob("waits");
  }

  // The ids of the runs on each page.
  std::vector<std::vector<std::string>> Pages(v1::ListRunsRequest request) {
    std::vector<std::vector<std::string>> pages;
    do {
      const absl::StatusOr<v1::ListRunsResponse> response = engine_.ListRuns(request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) break;
      std::vector<std::string>& page = pages.emplace_back();
      for (const v1::Run& run : response->runs()) page.push_back(run.id());
      request.set_page_token(response->next_page_token());
    } while (!request.page_token().empty());
    return pages;
  }

  std::vector<std::string> List(const v1::ListRunsRequest& request = {}) {
    std::vector<std::string> all;
    for (const auto& page : Pages(request)) all.insert(all.end(), page.begin(), page.end());
    return all;
  }

  std::string StartAndAwait(const std::string& job) {
    const std::string run = Start(job);
    AwaitResult(run);
    return run;
  }

  // The ids of new runs, newest first.
  std::vector<std::string> StartSome(int count, const std::string& job = "quick") {
    std::vector<std::string> runs;
    for (int i = 0; i < count; ++i) runs.push_back(StartAndAwait(job));
    std::ranges::reverse(runs);
    return runs;
  }
};

TEST_F(ListTest, RunsAreNoneAtFirst) { EXPECT_THAT(List(), IsEmpty()); }

TEST_F(ListTest, RunsComeNewestFirst) {
  const std::vector<std::string> runs = StartSome(5);
  EXPECT_EQ(List(), runs);
}

TEST_F(ListTest, RunsComeInPagesOfTheSizeAskedFor) {
  const std::vector<std::string> runs = StartSome(7);
  v1::ListRunsRequest request;
  for (int size = 1; size <= 8; ++size) {
    request.set_page_size(size);
    EXPECT_EQ(List(request), runs) << size;
    const auto pages = Pages(request);
    EXPECT_EQ(pages.size(), (7 + size - 1) / size) << "no empty page at the end";
    for (size_t i = 0; i + 1 < pages.size(); ++i) EXPECT_THAT(pages[i], SizeIs(size));
  }
}

TEST_F(ListTest, ASizeOfZeroIsTheServersChoiceAndTooMuchIsLowered) {
  const std::vector<std::string> runs = StartSome(101);
  EXPECT_THAT(Pages({}), ElementsAre(SizeIs(100), SizeIs(1)));
  v1::ListRunsRequest request;
  request.set_page_size(2'000'000'000);
  EXPECT_THAT(Pages(request), ElementsAre(SizeIs(101)));
  request.set_page_size(-1);
  EXPECT_EQ(
      engine_.ListRuns(request).status(),
      absl::InvalidArgumentError("page_size -1: must not be negative; use 0 for the default"));
}

TEST_F(ListTest, RunsThatAreStartedOrDeletedMeanwhileDoNotShiftThePages) {
  const std::vector<std::string> runs = StartSome(6);
  v1::ListRunsRequest request;
  request.set_page_size(2);
  const v1::ListRunsResponse first = *engine_.ListRuns(request);
  StartSome(3);
  ASSERT_TRUE(Delete(runs[1]).ok()) << "the one that the token points at";
  ASSERT_TRUE(Delete(runs[3]).ok());
  request.set_page_token(first.next_page_token());
  EXPECT_THAT(List(request), ElementsAre(runs[2], runs[4], runs[5]));
}

TEST_F(ListTest, RunsMayBeThoseOfAJob) {
  const std::vector<std::string> quick = StartSome(3, "quick");
  const std::vector<std::string> fails = StartSome(2, "fails");
  v1::ListRunsRequest request;
  request.set_job("quick");
  request.set_page_size(2);
  EXPECT_EQ(List(request), quick);
  request.set_job("fails");
  EXPECT_EQ(List(request), fails);
  request.set_job("unknown");
  EXPECT_THAT(List(request), IsEmpty());
}

TEST_F(ListTest, RunsMayBeThoseInSomeStates) {
  const std::string succeeded = StartAndAwait("quick");
  const std::string failed = StartAndAwait("fails");
  const std::string cancelled = Start("waits");
  Cancel(cancelled).IgnoreError();
  AwaitResult(cancelled);
  v1::ListRunsRequest request;
  request.add_states(v1::RUN_STATE_FAILED);
  EXPECT_THAT(List(request), ElementsAre(failed));
  request.add_states(v1::RUN_STATE_CANCELLED);
  EXPECT_THAT(List(request), ElementsAre(cancelled, failed));
  request.set_job("fails");
  EXPECT_THAT(List(request), ElementsAre(failed)) << "both filters hold";
  request.clear_states();
  request.clear_job();
  request.add_states(v1::RUN_STATE_LOST);
  EXPECT_THAT(List(request), IsEmpty());
}

TEST_F(ListTest, RunsOfSeveralJobsAndStatesComeInOneOrder) {
  std::vector<std::string> runs;
  for (int i = 0; i < 12; ++i) runs.push_back(StartAndAwait(i % 3 == 0 ? "fails" : "quick"));
  ASSERT_TRUE(Delete(runs[6]).ok());
  runs.erase(runs.begin() + 6);
  std::ranges::reverse(runs);
  v1::ListRunsRequest request;
  request.add_states(v1::RUN_STATE_FAILED);
  request.add_states(v1::RUN_STATE_SUCCEEDED);
  for (int size = 1; size <= 12; ++size) {
    request.set_page_size(size);
    EXPECT_EQ(List(request), runs) << size;
  }
}

TEST_F(ListTest, RunsAreCountedByJobAndStateUntilTheyAreDeleted) {
  using Counts = std::map<std::pair<std::string, v1::RunState>, int64_t>;
  const std::vector<std::string> quick = StartSome(2, "quick");
  const std::string failed = StartAndAwait("fails");
  EXPECT_EQ(engine_.CountRuns(), (Counts{{{"quick", v1::RUN_STATE_SUCCEEDED}, 2},
                                         {{"fails", v1::RUN_STATE_FAILED}, 1}}));
  ASSERT_TRUE(Delete(quick[0]).ok());
  ASSERT_TRUE(Delete(failed).ok());
  EXPECT_EQ(engine_.CountRuns(), (Counts{{{"quick", v1::RUN_STATE_SUCCEEDED}, 1}}));
}

TEST_F(ListTest, RefusesStatesThatAreNone) {
  for (const int state : {0, 8, 99, -1}) {
    v1::ListRunsRequest request;
    request.add_states(static_cast<v1::RunState>(state));
    EXPECT_EQ(engine_.ListRuns(request).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(ListTest, RunsAreShownAsTheyAre) {
  StartAndAwait("fails");
  const v1::Run run = engine_.ListRuns({})->runs(0);
  EXPECT_EQ(run.DebugString(), Get(run.id()).DebugString());
  EXPECT_EQ(run.result().exit_code(), 1);
  EXPECT_EQ(run.last_sequence(), 1);
}

// A client with gRPC's default limit of 4 MiB must be able to list whatever there is.
TEST_F(ListTest, APageEndsEarlyWhenItsRunsAreLarge) {
  AddJob(Job("large", [](JobContext& run) {
           run.SleepFor(absl::InfiniteDuration());
         }).With(Parameter::String("text")));
  std::vector<std::string> runs;
  for (int i = 0; i < 8; ++i) {
    runs.push_back(Start("large", {{"text", std::string(1'000'000, 'x')}}));
  }
  std::ranges::reverse(runs);
  const absl::StatusOr<v1::ListRunsResponse> response = engine_.ListRuns({});
  ASSERT_TRUE(response.ok());
  EXPECT_GE(response->runs_size(), 1);
  EXPECT_LT(response->ByteSizeLong(), 3 << 20);
  EXPECT_EQ(List(), runs);
}

TEST_F(ListTest, JobsComeByNameInPages) {
  v1::ListJobsRequest request;
  request.set_page_size(2);
  const absl::StatusOr<v1::ListJobsResponse> first = engine_.ListJobs(request);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->jobs_size(), 2);
  EXPECT_EQ(first->jobs(0).name(), "fails");
  EXPECT_EQ(first->jobs(1).name(), "quick");
  request.set_page_token(first->next_page_token());
  const absl::StatusOr<v1::ListJobsResponse> second = engine_.ListJobs(request);
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_EQ(second->jobs_size(), 1);
  EXPECT_EQ(second->jobs(0).name(), "waits");
  EXPECT_EQ(second->next_page_token(), "");
  request.set_page_size(-5);
  EXPECT_EQ(engine_.ListJobs(request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ListTest, AJobIsShownWithWhatItDeclares) {
  AddJob(Job("declared", [](JobContext&) {})
             .Help("Helps.")
             .With(Parameter::Int("times").Default(3).Range(0, 5))
             .Timeout(absl::Minutes(1)));
  v1::GetJobRequest request;
  request.set_job("declared");
  const absl::StatusOr<v1::Job> job = engine_.GetJob(request);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->help(), "Helps.");
  EXPECT_EQ(job->parameters(0).default_value(), "3");
  EXPECT_EQ(job->timeout().seconds(), 60);
  request.set_job("undeclared");
  EXPECT_EQ(engine_.GetJob(request).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace jobtail
