// Tests of the range of numbers that a batch's own records tell.

#include "server/store/record_range.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "server/log/record.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

std::string Lines(int64_t first, int64_t last) {
  std::string bytes;
  for (int64_t i = first; i <= last; ++i) EncodeLine(i, i, testing::Out("x"), &bytes);
  return bytes;
}

std::string Gap(int64_t first, int64_t last) {
  std::string bytes;
  EncodeLine(GapRecord(first, last, v1::GAP_REASON_DROPPED, 1), &bytes);
  return bytes;
}

// 0 where there is none.
int64_t Last(const std::string& batch, int64_t first) {
  const auto last = FindLastRecord(batch, first);
  return last ? last->sequence : 0;
}

TEST(RecordRange, IsThatOfTheRecordsInTheBatch) {
  EXPECT_EQ(Last(Lines(1, 1), 1), 1);
  EXPECT_EQ(Last(Lines(7, 1000), 7), 1000);
  EXPECT_EQ(TimeOf(FindLastRecord(Lines(7, 10), 7)->payload), 10);
}

TEST(RecordRange, CountsAGapForAllThatItStandsFor) {
  EXPECT_EQ(Last(Gap(5, 100), 5), 100);
  EXPECT_EQ(Last(Lines(1, 4) + Gap(5, 100) + Lines(101, 102), 1), 102);
  EXPECT_EQ(Last(Lines(1, 4) + Gap(6, 100), 1), 0) << "one is missing";
  EXPECT_EQ(Last(Lines(1, 4) + Gap(4, 100), 1), 0) << "one comes twice";
  EXPECT_EQ(Last(Gap(5, INT64_MAX - 1), 5), 0);
  EXPECT_EQ(Last(Gap(5, kMaxSequence), 5), kMaxSequence);
}

TEST(RecordRange, IsNoneWhereNumbersDoNotFollowOneAnother) {
  EXPECT_EQ(Last(Lines(2, 3), 1), 0);
  EXPECT_EQ(Last(Lines(1, 3), 2), 0);
  EXPECT_EQ(Last(Lines(1, 3) + Lines(5, 6), 1), 0);
  EXPECT_EQ(Last(Lines(1, 3) + Lines(3, 4), 1), 0);
  EXPECT_EQ(Last(Lines(0, 0), 0), 0);
  EXPECT_EQ(Last(Lines(-1, 1), -1), 0);
}

TEST(RecordRange, IsNoneOfWhatIsNoBatch) {
  EXPECT_EQ(Last("", 1), 0);
  EXPECT_EQ(Last("records", 1), 0);
  EXPECT_EQ(Last(Lines(1, 3) + "x", 1), 0);
  EXPECT_EQ(Last(Lines(1, 3).substr(0, 10), 1), 0);
}

TEST(RecordRange, FitsWhereEachRecordFindsRoom) {
  EXPECT_TRUE(FitIn(kMinRecordBytes, 5, 5));
  EXPECT_FALSE(FitIn(kMinRecordBytes, 5, 6));
  EXPECT_FALSE(FitIn(0, 5, 5));
  EXPECT_FALSE(FitIn(100, 1, kMaxSequence));
  for (const int64_t last : {1, 10, 1000}) {
    EXPECT_TRUE(FitIn(static_cast<int64_t>(Lines(1, last).size()), 1, last));
  }
}

}  // namespace
}  // namespace jobtail
