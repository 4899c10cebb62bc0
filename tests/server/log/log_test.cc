// Tests of a log as a whole: numbering, times, results, readers.

#include "server/log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Err;
using ::testing::IsEmpty;
using testing::kHour;
using testing::Numbers;
using testing::Out;
using testing::ReadToEnd;
using testing::Sequences;
using testing::Texts;

using LogTest = testing::LogTest;

TEST_F(LogTest, IsEmptyAtFirst) {
  const auto log = MakeLog();
  EXPECT_EQ(log->GetSnapshot().last, 0);
  EXPECT_FALSE(log->GetSnapshot().ended);
  EXPECT_EQ(*log->Read(1), std::nullopt);
}

TEST_F(LogTest, NumbersLinesFromOneAndEndsWithTheResult) {
  const auto log = MakeLog();
  log->Append({Out("one"), Err("two")});
  log->Append({Out("three")});
  Finish(*log);
  const std::vector<v1::LogLine> lines = ReadToEnd(log);
  EXPECT_EQ(Sequences(lines), Numbers(1, 4));
  EXPECT_THAT(Texts(lines), ElementsAre("one", "two", "three", "result"));
  EXPECT_EQ(lines[0].stream(), v1::STREAM_STDOUT);
  EXPECT_EQ(lines[1].stream(), v1::STREAM_STDERR);
  EXPECT_EQ(lines[3].stream(), v1::STREAM_UNSPECIFIED);
}

TEST_F(LogTest, OfAJobThatPrintsNothingIsTheResultAlone) {
  const auto log = MakeLog();
  Finish(*log);
  EXPECT_THAT(Texts(ReadToEnd(log)), ElementsAre("result"));
}

TEST_F(LogTest, AppendingNothingDoesNothing) {
  const auto log = MakeLog();
  log->Append({});
  EXPECT_TRUE(log->TryAppend({}));
  Finish(*log);
  EXPECT_THAT(Texts(ReadToEnd(log)), ElementsAre("result"));
}

TEST_F(LogTest, GivesNoLineAnEarlierTimeThanTheOneBefore) {
  const auto log = MakeLog();
  log->Append({Out("a", 50), Out("b", 40), Out("c", 60)});
  log->Append({Out("d", 10)});
  Finish(*log);
  std::vector<int64_t> times;
  for (const v1::LogLine& line : ReadToEnd(log)) times.push_back(ToUnixNanos(line.time()));
  ASSERT_EQ(times.size(), 5);
  const int64_t result = times.back();
  times.pop_back();
  EXPECT_THAT(times, ElementsAre(50, 50, 60, 60));
  EXPECT_GT(result, 60);
}

TEST_F(LogTest, CountsLinesAndBytesInItsResult) {
  const auto log = MakeLog();
  log->Append({{v1::STREAM_STDOUT, v1::ENDING_LF, 0, "12345"},
               {v1::STREAM_STDERR, v1::ENDING_CR, 0, "123"},
               {v1::STREAM_STDOUT, v1::ENDING_NONE, 0, "12"},
               {v1::STREAM_STDOUT, v1::ENDING_SPLIT, 0, "1"},
               {v1::STREAM_STDOUT, v1::ENDING_LF, 0, ""}});
  v1::RunResult seen;
  v1::RunResult given;
  given.set_exit_code(3);
  log->Finish(given, [&](const v1::RunResult& result) {
    seen = result;
    return v1::Run();
  });
  EXPECT_EQ(seen.total_lines(), 3) << "one is in three records";
  EXPECT_EQ(seen.total_bytes(), 6 + 4 + 2 + 1 + 1);
  EXPECT_EQ(seen.exit_code(), 3);
  const v1::LogLine last = ReadToEnd(log).back();
  EXPECT_EQ(last.result().DebugString(), seen.DebugString());
}

TEST_F(LogTest, KeepsTheOrderOfEachThreadAndTheLinesOfOneCallTogether) {
  constexpr int kThreads = 8;
  constexpr int kCalls = 500;
  const auto log = MakeLog();
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int call = 0; call < kCalls; ++call) {
          const std::string first = absl::StrCat(thread, " ", 2 * call);
          const std::string second = absl::StrCat(thread, " ", 2 * call + 1);
          log->Append({Out(first), Err(second)});
        }
      });
    }
  }
  Finish(*log);
  const std::vector<v1::LogLine> lines = ReadToEnd(log);
  EXPECT_EQ(Sequences(lines), Numbers(1, 2 * kThreads * kCalls + 1));
  std::map<std::string, int> next;
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    const std::string thread = lines[i].text().substr(0, 1);
    EXPECT_EQ(lines[i].text(), absl::StrCat(thread, " ", next[thread]++));
    if (i % 2 == 1) {
      EXPECT_EQ(lines[i].text()[0], lines[i - 1].text()[0]);
    }
  }
}

TEST_F(LogTest, ReadsTheEndFromMemoryAndTheRestFromTheStore) {
  const auto log = MakeLog({.tail_bytes = 1000});
  const std::string text(400, 'x');
  for (int i = 1; i <= 10; ++i) log->Append({Out(text, i * kHour)});
  Finish(*log);
  EXPECT_EQ((*log->Read(11))->last, 11);
  EXPECT_EQ((*log->Read(10))->last, 10);
  EXPECT_EQ(store_.count(Call::kRead), 0);
  EXPECT_EQ((*log->Read(1))->first, 1);
  EXPECT_EQ((*log->Read(5))->first, 5);
  EXPECT_EQ(store_.count(Call::kRead), 2);
}

// Those who follow one another through a log: the first reads for all.
TEST_F(LogTest, ReadersThatAreCloseToOneAnotherShareWhatIsReadFromTheStore) {
  const auto log = MakeLog({.tail_bytes = 0});
  for (int i = 1; i <= 3; ++i) log->Append({Out("line", i * kHour)});
  EXPECT_FALSE(log->IsInMemory(1));
  const Batch first = **log->Read(1);
  EXPECT_TRUE(log->IsInMemory(1));
  EXPECT_EQ((*log->Read(1))->bytes, first.bytes);
  EXPECT_EQ(log->TryRead(1)->bytes, first.bytes);
  EXPECT_FALSE(log->IsInMemory(2));
  EXPECT_FALSE(log->TryRead(2));
  EXPECT_EQ(store_.count(Call::kRead), 1);
}

TEST_F(LogTest, WhatATimeWasFoundInIsNotReadAgain) {
  const auto log = MakeLog({.tail_bytes = 0});
  for (int i = 1; i <= 3; ++i) log->Append({Out("line", i * kHour)});
  EXPECT_EQ(*log->FindTime(kHour), 1);
  EXPECT_TRUE(log->IsInMemory(1));
}

// Though somebody has them in hand.
TEST_F(LogTest, RecordsThatWereDeletedAreAGapForWhoComesLater) {
  const auto log = MakeLog({.tail_bytes = 0});
  for (int i = 1; i <= 3; ++i) log->Append({Out("line", i * kHour)});
  const Batch first = **log->Read(1);
  log->SetFirst(3);
  ASSERT_TRUE(memory_.Trim("run", 3).ok());
  EXPECT_FALSE(log->IsInMemory(1));
  EXPECT_FALSE(log->TryRead(1));
  const std::vector<v1::LogLine> gap = testing::Decode(*(*log->Read(1))->bytes);
  ASSERT_EQ(gap.size(), 1);
  EXPECT_EQ(gap[0].gap().reason(), v1::GAP_REASON_RETENTION);
  EXPECT_EQ(gap[0].gap().last(), 2);
}

TEST_F(LogTest, KeepsAtLeastItsLastBatchInMemory) {
  const auto log = MakeLog({.tail_bytes = 0});
  log->Append({Out("one", kHour)});
  log->Append({Out("two", 2 * kHour)});
  EXPECT_EQ((*log->Read(2))->last, 2);
  EXPECT_EQ(store_.count(Call::kRead), 0);
}

TEST_F(LogTest, ReportsWhatTheStoreReportsOnReading) {
  const auto log = MakeLog({.tail_bytes = 0});
  log->Append({Out("one", kHour)});
  log->Append({Out("two", 2 * kHour)});
  store_.Fail(Call::kRead, absl::UnavailableError("a bad moment"), 1);
  EXPECT_EQ(log->Read(1).status(), absl::UnavailableError("a bad moment"));
  store_.Fail(Call::kFindTime, absl::UnavailableError("gone"), 1);
  EXPECT_EQ(log->FindTime(0).status(), absl::UnavailableError("gone"));
}

TEST_F(LogTest, FindsTheFirstRecordThatIsNotOlder) {
  const auto log = MakeLog(Collecting());
  log->Append({Out("a", 2 * kHour), Out("b", 3 * kHour), Out("c", 3 * kHour), Out("d", 4 * kHour)});
  EXPECT_EQ(*log->FindTime(0), 1);
  EXPECT_EQ(*log->FindTime(2 * kHour), 1);
  EXPECT_EQ(*log->FindTime(2 * kHour + 1), 2);
  EXPECT_EQ(*log->FindTime(3 * kHour), 2);
  EXPECT_EQ(*log->FindTime(3 * kHour + 1), 4);
  EXPECT_EQ(*log->FindTime(4 * kHour + 1), 5);
}

// Between the store's answer that all records are older and the look at how many there are, the log
// may have grown.
TEST_F(LogTest, FindsARecordThatIsMadeWhileItSearches) {
  const auto log = MakeLog();
  log->Append({Out("old", kHour)});
  store_.AfterNext(Call::kFindTime, [&] { log->Append({Out("new", 3 * kHour)}); });
  EXPECT_EQ(*log->FindTime(2 * kHour), 2);
}

TEST_F(LogTest, OnceDeletedIsNotFound) {
  const auto log = MakeLog();
  log->Append({Out("one", kHour)});
  Finish(*log);
  log->MarkDeleted();
  EXPECT_TRUE(absl::IsNotFound(log->Read(1).status()));
  EXPECT_THAT(log->Read(1).status().message(), ::testing::HasSubstr("run run was deleted"));
}

TEST_F(LogTest, TellsReadersTheLatestStateOnly) {
  const auto log = MakeLog();
  v1::Run run;
  run.set_state(v1::RUN_STATE_PENDING);
  log->SetRun(run);
  run.set_state(v1::RUN_STATE_RUNNING);
  log->SetRun(run);
  v1::RunProgress progress;
  progress.set_text("halfway");
  log->SetProgress(progress);
  const Log::Snapshot snapshot = log->GetSnapshot();
  EXPECT_EQ(snapshot.version, 3);
  EXPECT_EQ(snapshot.run.version, 2);
  EXPECT_EQ(snapshot.progress.version, 3);
  const v1::LogLine line = testing::Decode(*snapshot.run.bytes).at(0);
  EXPECT_EQ(line.run().state(), v1::RUN_STATE_RUNNING);
  EXPECT_EQ(line.sequence(), 0);
  EXPECT_TRUE(line.has_time());
  EXPECT_EQ(testing::Decode(*snapshot.progress.bytes).at(0).progress().text(), "halfway");
  EXPECT_THAT(testing::RecordsOf(testing::Decode(*snapshot.run.bytes)), IsEmpty());
}

// The result is the last that a reader is sent; nothing comes after it.
TEST_F(LogTest, TellsNoStateAfterTheEnd) {
  const auto log = MakeLog();
  Finish(*log);
  const int64_t version = log->GetSnapshot().version;
  log->SetRun({});
  log->SetProgress({});
  EXPECT_EQ(log->GetSnapshot().version, version);
}

TEST_F(LogTest, TellsTheRunAsItEndedFromTheEndOn) {
  const auto log = MakeLog();
  log->Append({Out("one")});
  log->Finish({}, [](const v1::RunResult&) {
    v1::Run run;
    run.set_state(v1::RUN_STATE_FAILED);
    return run;
  });
  const v1::Run run = testing::Decode(*log->GetSnapshot().run.bytes).at(0).run();
  EXPECT_EQ(run.state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(run.last_sequence(), 2);
}

}  // namespace
}  // namespace jobtail
