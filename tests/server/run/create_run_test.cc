// Tests of CreateRun: parameters, refusals, request ids.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/following.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class CreateRun : public testing::EngineTest {
 protected:
  explicit CreateRun(const EngineOptions& options = {}) : EngineTest(options) {
    AddJob(Job("job", [this](JobContext&) { ++executed_; })
               .With(Parameter::Int("times").Default(10))
               .With(Parameter::Duration("wait").Default(absl::Seconds(1)))
               .With(Parameter::String("text").Default("")));
  }

  ~CreateRun() override { engine_.Stop(absl::InfiniteDuration()); }  // jobs count

  absl::StatusOr<v1::Run> CreateAs(const std::string& name, const std::string& request_id) {
    access::Caller caller;
    caller.principal = std::make_shared<access::Principal>(
        access::Principal{.name = name, .proof = access::Proof::kLocal});
    v1::CreateRunRequest request;
    request.set_job("job");
    request.set_request_id(request_id);
    return engine_.CreateRun(request, caller);
  }

  std::atomic<int> executed_ = 0;
};

TEST_F(CreateRun, ReturnsTheRunWithItsParametersFilledIn) {
  const absl::StatusOr<v1::Run> run = Create("job", {{"wait", "1500ms"}});
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->id().size(), 36);
  EXPECT_EQ(run->job(), "job");
  EXPECT_THAT(run->parameters(),
              UnorderedElementsAre(Pair("times", "10"), Pair("wait", "1.5s"), Pair("text", "")));
  EXPECT_TRUE(run->has_create_time());
  EXPECT_FALSE(run->has_delete_time());
}

TEST_F(CreateRun, RefusesAJobThatThereIsNot) {
  EXPECT_EQ(Create("jobb").status(), absl::NotFoundError("no job \"jobb\"; there are: job"));
}

TEST_F(CreateRun, RefusesParametersThatAreWrong) {
  EXPECT_EQ(Create("job", {{"times", "ten"}}).status(),
            absl::InvalidArgumentError(
                "parameter times=\"ten\": give an integer of 64 bits, such as 10"));
  EXPECT_EQ(
      Create("job", {{"tiems", "1"}}).status(),
      absl::InvalidArgumentError("job job has no parameter \"tiems\"; it has times, wait, text"));
  v1::ListRunsRequest all;
  EXPECT_EQ(engine_.ListRuns(all)->runs_size(), 0) << "and nothing was started";
}

TEST_F(CreateRun, IsKnownToTheStoreFirst) {
  store_.Fail(Call::kPutRun, absl::UnavailableError("the disk is gone"), 1);
  EXPECT_EQ(Create("job").status(), absl::UnavailableError("the disk is gone"));
  v1::ListRunsRequest all;
  EXPECT_EQ(engine_.ListRuns(all)->runs_size(), 0);
  EXPECT_TRUE(Create("job").ok());
}

TEST_F(CreateRun, WithARequestIdThatCameBeforeReturnsTheSameRun) {
  const absl::StatusOr<v1::Run> first = Create("job", {{"times", "1"}}, "id");
  ASSERT_TRUE(first.ok());
  AwaitResult(first->id());
  const absl::StatusOr<v1::Run> second = Create("job", {{"times", "1"}}, "id");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->id(), first->id());
  EXPECT_EQ(second->state(), v1::RUN_STATE_SUCCEEDED) << "as it is by now";
  EXPECT_EQ(executed_, 1);
}

TEST_F(CreateRun, WithARequestIdThatCameBeforeForSomethingElseIsRefused) {
  AddJob(Job("other", [](JobContext&) {}));
  const std::string run = Create("job", {{"times", "1"}}, "id")->id();
  const auto refusal = absl::InvalidArgumentError(
      absl::StrCat("request_id \"id\" came before, with another job or other parameters (run ", run,
                   "); use a new one"));
  EXPECT_EQ(Create("job", {{"times", "2"}}, "id").status(), refusal);
  EXPECT_EQ(Create("job", {}, "id").status(), refusal);
  EXPECT_EQ(Create("job", {{"times", "1"}, {"text", ""}}, "id").status(), refusal);
  EXPECT_EQ(Create("other", {{"times", "1"}}, "id").status(), refusal);
}

TEST_F(CreateRun, WithoutARequestIdIsAlwaysANewRun) {
  EXPECT_NE(Create("job")->id(), Create("job")->id());
}

TEST_F(CreateRun, WithARequestIdThatWasRefusedMayBeTriedAgain) {
  EXPECT_FALSE(Create("job", {{"times", "x"}}, "id").ok());
  EXPECT_TRUE(Create("job", {{"times", "1"}}, "id").ok());
}

TEST_F(CreateRun, WithTheRequestIdOfADeletedRunIsANewRun) {
  const std::string first = Create("job", {}, "id")->id();
  AwaitResult(first);
  ASSERT_TRUE(Delete(first).ok());
  const absl::StatusOr<v1::Run> second = Create("job", {}, "id");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(second->id(), first);
}

TEST_F(CreateRun, WithTheRequestIdOfADeletedRunIsANewRunForItsCallerAlone) {
  const std::string first = CreateAs("alice", "id")->id();
  const std::string other = CreateAs("bob", "id")->id();
  EXPECT_NE(first, other);
  AwaitResult(first);
  ASSERT_TRUE(Delete(first).ok());
  const absl::StatusOr<v1::Run> second = CreateAs("alice", "id");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(second->id(), first);
  EXPECT_EQ(CreateAs("bob", "id")->id(), other);
}

TEST_F(CreateRun, RefusesARequestIdThatIsTooLong) {
  EXPECT_TRUE(Create("job", {}, std::string(128, 'x')).ok());
  EXPECT_EQ(Create("job", {}, std::string(129, 'x')).status(),
            absl::InvalidArgumentError(
                "request_id: 129 bytes; at most 128 are allowed; use a random UUID"));
}

TEST_F(CreateRun, WithTheSameRequestIdFromManyThreadsStartsOneRun) {
  constexpr int kThreads = 16;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> ids(kThreads);
    {
      std::vector<std::jthread> threads;
      for (std::string& id : ids) {
        threads.emplace_back([&] { id = Create("job", {}, absl::StrCat("round ", round))->id(); });
      }
    }
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 1);
    AwaitResult(ids[0]);
    EXPECT_EQ(executed_, round + 1);
  }
}

TEST_F(CreateRun, FromManyThreadsGivesEachItsOwnRun) {
  constexpr int kThreads = 8;
  constexpr int kEach = 10;
  std::vector<std::vector<std::string>> ids(kThreads);
  {
    std::vector<std::jthread> threads;
    for (std::vector<std::string>& own : ids) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) own.push_back(Start("job"));
      });
    }
  }
  std::set<std::string> all;
  for (const std::vector<std::string>& own : ids) {
    EXPECT_TRUE(std::ranges::is_sorted(own)) << "a later run has a greater id";
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), kThreads * kEach);
  for (const std::string& id : all) AwaitResult(id);
  EXPECT_EQ(executed_, kThreads * kEach);
}

TEST_F(CreateRun, ByRunJobComesWithACursorFromTheFirstRecord) {
  v1::RunJobRequest request;
  request.set_job("job");
  request.set_request_id("id");
  auto started = engine_.RunJob(request);
  ASSERT_TRUE(started.ok()) << started.status();
  const std::vector<v1::LogLine> lines = testing::ReadToEnd(*started->cursor);
  ASSERT_GE(lines.size(), 2);
  EXPECT_EQ(lines.front().run().id(), started->run);
  EXPECT_TRUE(lines.back().has_result());
  auto again = engine_.RunJob(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->run, started->run) << "a retry follows the same run";
  EXPECT_EQ(testing::RecordsOf(testing::ReadToEnd(*again->cursor)).size(), 1);
  EXPECT_EQ(Create("job", {}, "id")->id(), started->run) << "CreateRun knows the id, too";
}

class CreateRunLimits : public CreateRun {
 protected:
  CreateRunLimits() : CreateRun({.max_active_runs = 2, .max_parameter_bytes = 100}) {}
};

TEST_F(CreateRunLimits, RefuseMoreRunsThanMayBeAtWork) {
  AddWaitingJob("waiting");
  const std::string first = Start("waiting");
  ASSERT_TRUE(Create("waiting", {}, "id").ok());
  EXPECT_EQ(Create("waiting").status(),
            absl::ResourceExhaustedError(
                "job waiting: 2 runs at work (without limit) and 0 queued (at most 0); on this "
                "server, 2 at work (at most 2) and 0 queued (at most 1000); wait for one to end, "
                "or cancel one"));
  EXPECT_TRUE(Create("waiting", {}, "id").ok()) << "what was accepted before is found";
  Cancel(first).IgnoreError();
  AwaitResult(first);
  EXPECT_TRUE(Create("waiting").ok());
}

TEST_F(CreateRunLimits, DoNotCountARunWhoseResultWasSeen) {
  AddWaitingJob("waiting");
  Start("waiting");
  for (int i = 0; i < 500; ++i) {
    const absl::StatusOr<v1::Run> run = Create("job");
    ASSERT_TRUE(run.ok()) << i << ": " << run.status();
    AwaitResult(run->id());
  }
}

// Cannot begin, as where there are no descriptors for a process.
class NeverStarts : public Executor {
 public:
  absl::Status Start(std::shared_ptr<Execution> /*run*/) const override {
    return absl::ResourceExhaustedError("no room");
  }
};

class CreateRunClocked : public testing::ClockedEngineTest {
 protected:
  // False if it does not come.
  bool PassTimeUntil(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      clock_.Advance(absl::Milliseconds(100));
      std::this_thread::yield();
    }
    return true;
  }
};

// It would come back after a restart, as lost.
TEST_F(CreateRunClocked, LeavesNothingOfARunThatWasRefusedOnceTheStoreLetsItGo) {
  AddJob(Job("never", std::make_shared<NeverStarts>()));
  const auto stored = [this] {
    int count = 0;
    EXPECT_TRUE(memory_.ForEachRun([&count](const storage::v1::StoredRun&) { ++count; }).ok());
    return count;
  };
  store_.Fail(Call::kDeleteRun, absl::UnavailableError("the disk is sick"), 1);
  store_.Fail(Call::kDeleteRuns, absl::UnavailableError("the disk is sick"), 2);
  EXPECT_EQ(Create("never").status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(stored(), 1);
  EXPECT_TRUE(PassTimeUntil([&] { return stored() == 0; }));
  EXPECT_EQ(store_.count(Call::kDeleteRuns), 3);
}

// It may be there: the disk has refused to sync it.
TEST_F(CreateRunClocked, DeletesWhatTheStoreHasRefused) {
  AddJob(Job("job", [](JobContext&) {}));
  store_.Fail(Call::kPutRun, absl::UnavailableError("the disk is sick"), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Create("job").status().code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_TRUE(PassTimeUntil([&] { return store_.count(Call::kDeleteRuns) == 1; }));
  EXPECT_TRUE(Create("job").ok());
}

TEST_F(CreateRunLimits, RefuseParametersThatAreTooLarge) {
  EXPECT_TRUE(Create("job", {{"text", std::string(96, 'x')}}).ok());
  const absl::Status refusal = Create("job", {{"text", std::string(97, 'x')}}).status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(refusal.message(),
            "parameters: 101 bytes; a run's parameters may have 100 in all; pass the name of a "
            "file instead");
}

}  // namespace
}  // namespace jobtail
