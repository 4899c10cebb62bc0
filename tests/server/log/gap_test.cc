// What readers get in place of records that are missing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/log.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using testing::kHour;
using testing::Numbers;
using testing::Out;
using testing::ReadToEnd;
using testing::Sequences;
using testing::Texts;

class GapTest : public testing::LogTest {
 protected:
  static constexpr size_t kBound = 10'000;

  // Holds the records against what every log promises, whatever was dropped: each number once, as a
  // record or inside a gap. Returns the gaps.
  static std::vector<v1::Gap> CheckAndTakeGaps(const std::vector<v1::LogLine>& lines) {
    std::vector<v1::Gap> gaps;
    int64_t next = 1;
    for (const v1::LogLine& line : lines) {
      if (line.has_gap()) {
        EXPECT_EQ(line.gap().first(), next);
        EXPECT_EQ(line.gap().last(), line.sequence());
        gaps.push_back(line.gap());
      } else {
        EXPECT_EQ(line.sequence(), next);
        // The lines of these tests say which they are.
        if (line.has_text()) {
          EXPECT_EQ(line.text(), Numbered(next));
        }
      }
      next = line.sequence() + 1;
    }
    return gaps;
  }

  static std::string Numbered(int64_t number) {
    return absl::StrCat(1'000'000'000 + number, std::string(90, '.'));
  }

  void Print(Log& log, int64_t first, int64_t last) {
    for (int64_t i = first; i <= last; ++i) log.Append({Out(Numbered(i), kHour)});
  }

  // Has the store take nothing until it is unblocked.
  std::jthread Stall(const std::shared_ptr<Log>& log) {
    store_.Block(Call::kAppend);
    std::jthread first([this, log] { Print(*log, 1, 1); });
    store_.AwaitBlocked(Call::kAppend);
    return first;
  }
};

TEST_F(GapTest, AJobThatMustNotWaitHasLinesDroppedAndAGapSaysWhich) {
  const auto log = MakeLog({.unsaved_bytes = kBound, .drop_when_full = true});
  std::jthread first = Stall(log);
  Print(*log, 2, 1000);  // does not wait
  EXPECT_TRUE(log->TryAppend({Out(Numbered(1001), kHour)}));
  store_.Unblock(Call::kAppend);
  first.join();
  AwaitRecord(*log, 1001);
  Print(*log, 1002, 1010);
  Finish(*log);
  const std::vector<v1::LogLine> lines = ReadToEnd(log);
  const std::vector<v1::Gap> gaps = CheckAndTakeGaps(lines);
  ASSERT_EQ(gaps.size(), 1);
  EXPECT_EQ(gaps[0].reason(), v1::GAP_REASON_DROPPED);
  EXPECT_GT(gaps[0].first(), 50);
  EXPECT_EQ(gaps[0].last(), 1001);
  const v1::RunResult& result = lines.back().result();
  EXPECT_EQ(result.total_lines(), lines.size() - 2) << "those that are in the log";
  EXPECT_EQ(result.total_bytes(), 1010 * 101) << "what the job printed";
}

// The gap is there as soon as there is room, though the job prints nothing more.
TEST_F(GapTest, AGapIsShownWithoutAnotherLine) {
  const auto log = MakeLog({.unsaved_bytes = kBound, .drop_when_full = true});
  std::jthread first = Stall(log);
  Print(*log, 2, 500);
  store_.Unblock(Call::kAppend);
  AwaitRecord(*log, 500);
}

TEST_F(GapTest, AGapAtTheVeryEndComesBeforeTheResult) {
  const auto log = MakeLog({.unsaved_bytes = kBound, .drop_when_full = true});
  std::jthread first = Stall(log);
  Print(*log, 2, 500);
  std::jthread end([&] { Finish(*log); });
  store_.Unblock(Call::kAppend);
  const std::vector<v1::LogLine> lines = ReadToEnd(log);
  EXPECT_EQ(CheckAndTakeGaps(lines).size(), 1);
  EXPECT_TRUE(lines.back().has_result());
  EXPECT_EQ(lines.back().sequence(), 501);
}

TEST_F(GapTest, ManyGapsUnderManyThreadsAreExact) {
  const auto log = MakeLog({.unsaved_bytes = 2000, .drop_when_full = true});
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5000; ++i) log->Append({Out(std::string(200, 'x'), kHour)});
      });
    }
  }
  Finish(*log);
  int64_t next = 1;
  int64_t lines = 0;
  for (const v1::LogLine& line : ReadToEnd(log)) {
    EXPECT_EQ(line.has_gap() ? line.gap().first() : line.sequence(), next);
    next = line.sequence() + 1;
    lines += line.has_text() ? 1 : 0;
    if (line.has_result()) {
      EXPECT_EQ(line.result().total_lines(), lines);
    }
  }
  EXPECT_EQ(next, 4 * 5000 + 2);
}

// A job that waits by default would wait for somebody to make room on the disk.
TEST_F(GapTest, AStoreThatIsFullCostsLinesBeyondTheBoundAndHoldsNobodyUp) {
  const auto log = MakeLog({.unsaved_bytes = kBound});
  store_.Fail(Call::kAppend, absl::ResourceExhaustedError("the disk is full"), kForEver);
  Print(*log, 1, 1000);
  EXPECT_EQ(log->GetSnapshot().last, 0) << "nothing is shown that is not stored";
  store_.Mend(Call::kAppend);
  AwaitRecord(*log, 1000);
  Print(*log, 1001, 1005);
  Finish(*log);
  const std::vector<v1::Gap> gaps = CheckAndTakeGaps(ReadToEnd(log));
  ASSERT_EQ(gaps.size(), 1);
  EXPECT_EQ(gaps[0].reason(), v1::GAP_REASON_STORE_FULL);
  EXPECT_EQ(gaps[0].last(), 1000);
}

TEST_F(GapTest, AWaitingJobGoesOnWhenTheStoreTurnsOutToBeFull) {
  const auto log = MakeLog({.unsaved_bytes = kBound});
  const PassingTime passing(&clock_);
  std::jthread first = Stall(log);
  std::jthread job([&] { Print(*log, 2, 1000); });  // waits at the bound
  store_.Fail(Call::kAppend, absl::ResourceExhaustedError("the disk is full"), kForEver);
  store_.Unblock(Call::kAppend);
  job.join();
  store_.Mend(Call::kAppend);
  Finish(*log);
  EXPECT_EQ(CheckAndTakeGaps(ReadToEnd(log)).size(), 1);
}

TEST_F(GapTest, AReaderThatStartsInsideAGapGetsTheGap) {
  const auto log = MakeLog({.unsaved_bytes = kBound, .drop_when_full = true});
  std::jthread first = Stall(log);
  Print(*log, 2, 1000);
  store_.Unblock(Call::kAppend);
  AwaitRecord(*log, 1000);
  Finish(*log);
  v1::TailLogRequest request = testing::Follow();
  request.set_from_sequence(900);
  EXPECT_EQ(Sequences(ReadToEnd(log, request)), Numbers(1000, 1001));
  request.set_last_lines(0);
  EXPECT_EQ(Sequences(ReadToEnd(log, request)), Numbers(1001, 1001));
}

TEST_F(GapTest, DamagedRecordsAreAGapAndTheOthersAreStillThere) {
  const auto log = MakeLog({.tail_bytes = 0});
  for (int i = 1; i <= 3; ++i) log->Append({Out(Numbered(i), i * kHour)});
  Finish(*log);
  const Batch third = *memory_.Read("run", 3);
  store_.ReplaceNextRead(third);  // the first two cannot be read
  const std::vector<v1::LogLine> lines = ReadToEnd(log);
  const std::vector<v1::Gap> gaps = CheckAndTakeGaps(lines);
  ASSERT_EQ(gaps.size(), 1);
  EXPECT_EQ(gaps[0].last(), 2);
  EXPECT_EQ(gaps[0].reason(), v1::GAP_REASON_DAMAGED);
  EXPECT_EQ(lines[0].time().DebugString(), lines[1].time().DebugString());
  EXPECT_EQ(lines.size(), 3);
}

// The result is known from the run.
TEST_F(GapTest, ALogWhoseEndIsDamagedStillHasItsResult) {
  const auto log = MakeLog();
  for (int i = 1; i <= 3; ++i) log->Append({Out(Numbered(i), i * kHour)});
  Finish(*log);
  v1::Run run;
  run.set_id("run");
  run.mutable_result()->set_exit_code(7);
  const auto ended = Log::OpenEnded(run, *store_.GetExtent("run"), services_);
  store_.Fail(Call::kRead, absl::DataLossError("a bad checksum"), kForEver);
  const std::vector<v1::LogLine> lines = ReadToEnd(ended);
  ASSERT_EQ(lines.size(), 2);
  EXPECT_EQ(lines[0].gap().first(), 1);
  EXPECT_EQ(lines[0].gap().last(), 3);
  EXPECT_EQ(lines[1].sequence(), 4);
  EXPECT_EQ(lines[1].result().exit_code(), 7);
}

TEST_F(GapTest, LooksUpTheLastLinesAndATimeWithOneReadEach) {
  const auto log = MakeLog({.tail_bytes = 0});
  for (int i = 1; i <= 1000; ++i) log->Append({Out(Numbered(i), i * kHour)});
  Finish(*log);
  v1::Run run;
  run.set_id("run");
  const auto ended = Log::OpenEnded(run, *store_.GetExtent("run"), services_);
  std::vector<Slice> slices;
  v1::TailLogRequest last;
  last.set_last_lines(500);
  ASSERT_TRUE((*Cursor::Open(ended, last))->Read(1, &slices).ok());
  EXPECT_EQ(store_.count(Call::kRead), 1);
  EXPECT_EQ(store_.count(Call::kFindTime), 0);
  v1::TailLogRequest since;
  since.mutable_since()->set_seconds(500 * 3600);
  ASSERT_TRUE((*Cursor::Open(ended, since))->Read(1, &slices).ok());
  EXPECT_EQ(store_.count(Call::kFindTime), 1);
  EXPECT_EQ(store_.count(Call::kRead), 1) << "what was found is not read again";
  EXPECT_EQ(SequenceOf(slices.back().view().substr(2)), 500);
}

}  // namespace
}  // namespace jobtail
