// Tests of records numbered, dated and closed into batches.

#include "server/log/batch_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using testing::Decode;
using ::testing::ElementsAre;
using testing::Numbers;
using testing::Out;
using testing::Sequences;
using testing::Texts;

std::vector<v1::LogLine> Records(const std::vector<Batch>& batches) {
  std::vector<v1::LogLine> records;
  for (const Batch& batch : batches) {
    for (v1::LogLine& record : Decode(*batch.bytes)) records.push_back(std::move(record));
  }
  return records;
}

TEST(BatchBuilder, NumbersLinesOverTheBordersOfBatches) {
  BatchBuilder builder;
  for (int batch = 0; batch < 3; ++batch) {
    for (int i = 0; i < 4; ++i) builder.AddLine(Out("line", i));
    builder.Close();
  }
  EXPECT_EQ(builder.closed_batches(), 3);
  const std::vector<Batch> batches = builder.TakeClosed();
  EXPECT_EQ(Sequences(Records(batches)), Numbers(1, 12));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(batches[i].first, 4 * i + 1);
    EXPECT_EQ(batches[i].last, 4 * i + 4);
    EXPECT_EQ(batches[i].total_lines, 4 * i + 4);
    EXPECT_EQ(batches[i].total_bytes, 5 * (4 * i + 4));
  }
}

TEST(BatchBuilder, ClosesNoEmptyBatch) {
  BatchBuilder builder;
  builder.Close();
  EXPECT_FALSE(builder.HasUnsaved());
  EXPECT_THAT(builder.TakeClosed(), ::testing::IsEmpty());
}

// Threads may be numbered in another order than that in which they dated their lines, and the clock
// may be set back.
TEST(BatchBuilder, DatesNoRecordBeforeTheOneBeforeIt) {
  BatchBuilder builder;
  for (const int64_t time : {5, 3, 7, 1, 7, 8}) builder.AddLine(Out("line", time));
  builder.DropLine(Out("dropped", 9), v1::GAP_REASON_DROPPED);
  v1::RunResult result;
  builder.AddResult(2, &result);
  builder.Close();
  std::vector<int64_t> times;
  const std::vector<Batch> batches = builder.TakeClosed();
  for (const v1::LogLine& record : Records(batches)) times.push_back(ToUnixNanos(record.time()));
  EXPECT_THAT(times, ElementsAre(5, 5, 7, 7, 7, 8, 9, 9));
  EXPECT_EQ(batches.back().last_time_unix_nanos, 9);
}

TEST(BatchBuilder, CountsLinesAsReadersPutThemTogether) {
  for (const auto& [reason, lines] :
       {std::pair(v1::GAP_REASON_DROPPED, 2), std::pair(v1::GAP_REASON_OVERWRITTEN, 1)}) {
    BatchBuilder builder;
    TextLine begun = Out("begun");
    begun.ending = v1::ENDING_NONE;
    builder.AddLine(begun);
    builder.LeaveOut(3, reason, 1);
    builder.AddLine(Out("ended"));
    v1::RunResult result;
    builder.AddResult(2, &result);
    EXPECT_EQ(result.total_lines(), lines) << reason;
  }
}

TEST(BatchBuilder, PutsOneGapInPlaceOfLinesThatWereDropped) {
  BatchBuilder builder;
  builder.AddLine(Out("one"));
  builder.DropLine(Out("two"), v1::GAP_REASON_STORE_FULL);
  builder.DropLine(Out("three"), v1::GAP_REASON_DROPPED);
  EXPECT_TRUE(builder.HasGap());
  builder.AddLine(Out("four"));
  EXPECT_FALSE(builder.HasGap());
  builder.AddGap();  // there is none
  v1::RunResult result;
  result.set_total_bytes(100);
  EXPECT_EQ(builder.AddResult(0, &result), 5);
  EXPECT_EQ(result.total_lines(), 2) << "that are in the log";
  EXPECT_EQ(result.total_bytes(), 100 + 4 + 4 + 6 + 5) << "that were printed";
  builder.Close();
  const std::vector<v1::LogLine> records = Records(builder.TakeClosed());
  EXPECT_THAT(Sequences(records), ElementsAre(1, 3, 4, 5));
  EXPECT_EQ(records[1].gap().first(), 2);
  EXPECT_EQ(records[1].gap().last(), 3);
  EXPECT_EQ(records[1].gap().reason(), v1::GAP_REASON_STORE_FULL) << "why it began";
  EXPECT_EQ(records[3].result().DebugString(), result.DebugString());
}

TEST(BatchBuilder, HasWhatTheStoreRefusedInFrontAgain) {
  BatchBuilder builder;
  for (int i = 0; i < 6; ++i) {
    builder.AddLine(Out(std::string(1, static_cast<char>('a' + i))));
    builder.Close();
  }
  builder.AddLine(Out("open"));
  const size_t bytes = builder.unsaved_bytes();
  std::vector<Batch> taken = builder.TakeClosed(4);
  EXPECT_EQ(taken.size(), 4);
  EXPECT_EQ(builder.first_unsaved(), 5);
  EXPECT_EQ(builder.unsaved_bytes(), bytes) << "the store does not have them yet";
  builder.PutBack(std::move(taken));
  EXPECT_EQ(builder.first_unsaved(), 1);
  builder.Close();
  taken = builder.TakeClosed();
  EXPECT_THAT(Texts(Records(taken)), ElementsAre("a", "b", "c", "d", "e", "f", "open"));
  size_t stored = 0;
  for (const Batch& batch : taken) stored += batch.bytes->size();
  builder.Stored(stored);
  EXPECT_EQ(builder.unsaved_bytes(), 0);
  EXPECT_FALSE(builder.HasUnsaved());
}

}  // namespace
}  // namespace jobtail
