// What a new engine makes of the runs that another has left in the store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/codec/run_state.h"
#include "server/log/record.h"
#include "server/run/engine.h"
#include "server/store/memory_store.h"
#include "server/store/rocksdb_store.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/faulty_store.h"
#include "tests/server/support/following.h"
#include "tests/server/support/records.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ReadToEnd;
using testing::RecordsOf;
using testing::TemporaryDirectory;
using testing::Texts;

constexpr char kAbandoned[] = "019a7b3c-0000-7000-8000-000000000001";

// An engine on a store on disk, both of which can be started anew.
class Recover : public ::testing::Test {
 protected:
  Recover() { Restart(); }
  ~Recover() override { engine_->Stop(absl::InfiniteDuration()); }

  void Restart() {
    if (engine_) engine_->Stop(absl::InfiniteDuration());
    engine_.reset();
    store_.reset();
    auto store = RocksDbStore::Open({.directory = directory_.path()});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    engine_ = std::make_unique<Engine>(store_.get());
    ASSERT_TRUE(engine_->AddJob(Job("three", [](JobContext&) { puts("a\nb\nc"); })).ok());
    ASSERT_TRUE(engine_->Recover().ok());
  }

  std::string Start(const std::string& request_id = "", const access::Caller& caller = {}) {
    v1::CreateRunRequest request;
    request.set_job("three");
    request.set_request_id(request_id);
    return engine_->CreateRun(request, caller)->id();
  }

  std::vector<v1::LogLine> ReadLog(const std::string& run, int64_t from = 1) {
    v1::TailLogRequest request = testing::Follow();
    request.set_run(run);
    request.set_from_sequence(from);
    auto cursor = engine_->TailLog(request);
    EXPECT_TRUE(cursor.ok()) << cursor.status();
    return cursor.ok() ? RecordsOf(ReadToEnd(**cursor)) : std::vector<v1::LogLine>();
  }

  v1::Run Get(const std::string& run) {
    v1::GetRunRequest request;
    request.set_run(run);
    return engine_->GetRun(request).value_or(v1::Run());
  }

  // A run as a server leaves it that is killed while the job is at work, after `lines`.
  std::string Abandon(const std::vector<std::string>& lines) {
    storage::v1::StoredRun run;
    run.mutable_run()->set_id(kAbandoned);
    run.mutable_run()->set_job("gone");
    run.mutable_run()->set_state(v1::RUN_STATE_RUNNING);
    run.mutable_run()->mutable_start_time()->set_seconds(1000);
    EXPECT_TRUE(store_->PutRun(run).ok());
    int64_t sequence = 0;
    for (const std::string& text : lines) {
      const int64_t time = (1000 + ++sequence) * 1'000'000'000;
      std::string bytes;
      EncodeLine(sequence, time, testing::Out(text), &bytes);
      const Batch batch{sequence, sequence, time, sequence, 2 * sequence, Share(bytes)};
      EXPECT_TRUE(store_->Append(run.run().id(), {batch}, false).ok());
    }
    return run.run().id();
  }

  // As the second record of a run that has been abandoned: it has failed with code 7.
  void AppendResult(const std::string& run) {
    v1::RunResult result;
    result.set_state(v1::RUN_STATE_FAILED);
    result.set_exit_code(7);
    std::string bytes;
    const int64_t time = int64_t{5000} * 1'000'000'000;
    EncodeLine(ResultRecord(2, result, time), &bytes);
    ASSERT_TRUE(store_->Append(run, {Batch{2, 2, time, 1, 2, Share(bytes)}}, true).ok());
  }

  TemporaryDirectory directory_;
  std::unique_ptr<RocksDbStore> store_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(Recover, ARunThatEndedIsTheSameAfterwards) {
  const std::string run = Start();
  const std::vector<v1::LogLine> before = ReadLog(run);
  engine_->Stop(absl::InfiniteDuration());
  const v1::Run was = Get(run);
  Restart();
  EXPECT_EQ(Get(run).DebugString(), was.DebugString());
  const std::vector<v1::LogLine> after = ReadLog(run);
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].DebugString(), before[i].DebugString());
  }
  EXPECT_THAT(Texts(ReadLog(run, 3)), ElementsAre("c", "result")) << "resumed exactly";
}

TEST_F(Recover, ListsTheRunsOfBeforeAndThoseThatCome) {
  std::vector<std::string> runs = {Start(), Start()};
  Restart();
  runs.push_back(Start());
  const auto response = engine_->ListRuns({});
  ASSERT_EQ(response->runs_size(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(response->runs(i).id(), runs[2 - i]);
}

TEST_F(Recover, ARequestIdStillStandsForItsRun) {
  const std::string run = Start("once");
  Restart();
  EXPECT_EQ(Start("once"), run);
  v1::CreateRunRequest other;
  other.set_job("three");
  other.set_request_id("once");
  (*other.mutable_parameters())["a"] = "b";
  EXPECT_EQ(engine_->CreateRun(other).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(Recover, ARequestIdIsStillThatOfItsCaller) {
  const auto caller = [](const std::string& name) {
    access::Caller named;
    named.principal = std::make_shared<access::Principal>(
        access::Principal{.name = name, .proof = access::Proof::kLocal});
    return named;
  };
  const std::string run = Start("once", caller("alice"));
  Restart();
  EXPECT_EQ(Start("once", caller("alice")), run);
  EXPECT_NE(Start("once", caller("bob")), run);
  EXPECT_NE(Start("once"), run);
}

TEST_F(Recover, ARunThatWasAtWorkIsLostAndItsLogSaysSo) {
  const std::string run = Abandon({"x", "y"});
  Restart();
  for (int restart = 0; restart < 2; ++restart) {
    const std::vector<v1::LogLine> lines = ReadLog(run);
    EXPECT_THAT(Texts(lines), ElementsAre("x", "y", "result"));
    const v1::RunResult& result = lines.back().result();
    EXPECT_EQ(lines.back().sequence(), 3);
    EXPECT_EQ(result.state(), v1::RUN_STATE_LOST);
    EXPECT_THAT(result.error(), HasSubstr("went away"));
    EXPECT_EQ(result.total_lines(), 2);
    EXPECT_EQ(result.total_bytes(), 4);
    EXPECT_EQ(result.duration().seconds(), 2) << "until its last line";
    EXPECT_EQ(Get(run).state(), v1::RUN_STATE_LOST);
    EXPECT_EQ(Get(run).last_sequence(), 3);
    EXPECT_EQ(Get(run).result().DebugString(), result.DebugString());
    Restart();
  }
}

TEST_F(Recover, ARunThatHadPrintedNothingIsLostToo) {
  const std::string run = Abandon({});
  Restart();
  EXPECT_THAT(Texts(ReadLog(run)), ElementsAre("result"));
}

TEST_F(Recover, ARunThatWaitedIsLostAndItsResultSaysThatItDidNotRun) {
  storage::v1::StoredRun waiting;
  waiting.mutable_run()->set_id("019a7b3c-0000-7000-8000-000000000002");
  waiting.mutable_run()->set_job("gone");
  waiting.mutable_run()->set_state(v1::RUN_STATE_PENDING);
  ASSERT_TRUE(store_->PutRun(waiting).ok());
  Restart();
  const v1::RunResult result = Get(waiting.run().id()).result();
  EXPECT_EQ(result.state(), v1::RUN_STATE_LOST);
  EXPECT_THAT(result.error(), HasSubstr("the job did not run"));
}

// Killed between the result's record and the note that the run has ended.
TEST_F(Recover, AResultThatWasStoredCounts) {
  const std::string run = Abandon({"x"});
  AppendResult(run);
  Restart();
  EXPECT_THAT(Texts(ReadLog(run)), ElementsAre("x", "result"));
  EXPECT_EQ(Get(run).state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(Get(run).result().exit_code(), 7);
  EXPECT_EQ(Get(run).end_time().seconds(), 5000);
}

// A disk that fails as the server starts, and is well a moment later.
class RecoverFromASickStore : public Recover {
 protected:
  using Call = testing::FaultyStore::Call;

  // Starts on a store of which the next calls fail, and once more on one that is well.
  void RestartWith(Call call, int failures) {
    engine_->Stop(absl::InfiniteDuration());
    testing::FaultyStore sick(store_.get());
    sick.Fail(call, absl::UnavailableError("EIO"), failures);
    Engine meanwhile(&sick);
    EXPECT_TRUE(meanwhile.Recover().ok());
    EXPECT_GE(sick.count(call), failures);
    meanwhile.Stop(absl::InfiniteDuration());
    EXPECT_TRUE(IsFinal(store_->GetRun(kAbandoned)->run().state())) << "is stored";
  }
};

TEST_F(RecoverFromASickStore, WhatItHasRefusedIsTriedAgain) {
  for (const Call call : {Call::kGetExtent, Call::kRead, Call::kAppend, Call::kPutRun}) {
    const std::string run = Abandon({"x", "y"});
    RestartWith(call, 2);
    Restart();
    EXPECT_THAT(Texts(ReadLog(run)), ElementsAre("x", "y", "result"));
    EXPECT_EQ(Get(run).state(), v1::RUN_STATE_LOST);
    v1::DeleteRunRequest request;
    request.set_run(run);
    ASSERT_TRUE(engine_->DeleteRun(request).ok());
  }
}

// A log has one result, and a run that has ended well is not lost.
TEST_F(RecoverFromASickStore, AResultThatCannotBeReadAtFirstCounts) {
  const std::string run = Abandon({"x"});
  AppendResult(run);
  RestartWith(Call::kRead, 2);
  Restart();
  EXPECT_THAT(Texts(ReadLog(run)), ElementsAre("x", "result"));
  EXPECT_EQ(Get(run).state(), v1::RUN_STATE_FAILED);
}

TEST_F(Recover, ARunOfBeforeCanBeDeleted) {
  const std::string run = Start();
  Restart();
  v1::DeleteRunRequest request;
  request.set_run(run);
  EXPECT_TRUE(engine_->DeleteRun(request).ok());
  Restart();
  EXPECT_EQ(engine_->ListRuns({})->runs_size(), 0);
}

}  // namespace
}  // namespace jobtail
