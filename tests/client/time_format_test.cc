#include "client/cli/time_format.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

namespace jobtail::client::cli {
namespace {

using google::protobuf::Timestamp;

Timestamp At(int64_t seconds, int32_t nanos) {
  Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(nanos);
  return timestamp;
}

TEST(TimeFormatterTest, WritesMilliseconds) {
  TimeFormatter formatter;
  std::string text;
  formatter.Append(At(1'700'000'000, 987'654'321), 3, &text);
  EXPECT_EQ(text, "2023-11-14T22:13:20.987Z");
  text.clear();
  formatter.Append(At(1'700'000'001, 1'000'000), 3, &text);
  EXPECT_EQ(text, "2023-11-14T22:13:21.001Z");
}

TEST(TimeFormatterTest, ShortestIsProtobufs) {
  TimeFormatter formatter;
  for (const int64_t seconds : {int64_t{0}, int64_t{1'700'000'000}, int64_t{-62135596800},
                                int64_t{253402300799}, int64_t{-1}}) {
    for (const int32_t nanos : {0, 1, 1'000, 1'000'000, 120'000'000, 123'456'789, 999'999'999}) {
      std::string text;
      formatter.AppendShortest(At(seconds, nanos), &text);
      EXPECT_EQ(text, google::protobuf::util::TimeUtil::ToString(At(seconds, nanos)));
    }
  }
}

TEST(ShortDurationTest, FitsItsSize) {
  EXPECT_EQ(ShortDuration(absl::ZeroDuration()), "0.00s");
  EXPECT_EQ(ShortDuration(absl::Milliseconds(1234)), "1.23s");
  EXPECT_EQ(ShortDuration(absl::Milliseconds(12345)), "12.3s");
  EXPECT_EQ(ShortDuration(absl::Milliseconds(59'990)), "1m00s");
  EXPECT_EQ(ShortDuration(absl::Seconds(192)), "3m12s");
  EXPECT_EQ(ShortDuration(absl::Minutes(123)), "2h03m");
  EXPECT_EQ(ShortDuration(absl::Hours(101)), "4d05h");
  EXPECT_EQ(ShortDuration(absl::Seconds(-5)), "0.00s");
}

TEST(ParseSinceTest, ReadsAgesAndDates) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  EXPECT_EQ(ParseSince("10m", now), now - absl::Minutes(10));
  EXPECT_EQ(ParseSince("1h30m", now), now - absl::Minutes(90));
  EXPECT_EQ(ParseSince("2023-11-14T22:13:20Z", now), now);
  EXPECT_EQ(ParseSince("2023-11-14T23:13:20.5+01:00", now), now + absl::Milliseconds(500));
}

TEST(ParseSinceTest, RefusesWhatIsNoTime) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  for (const char* text : {"", "x", "10", "-5m", "inf", "infinite-past", "infinite-future",
                           "yesterday", "99999999h"}) {
    EXPECT_EQ(ParseSince(text, now), std::nullopt) << text;
  }
}

TEST(TimeTest, ConvertsBothWays) {
  for (const Timestamp& timestamp : {At(5, 7), At(-1, 999'999'999), At(0, 0)}) {
    EXPECT_EQ(FromTime(ToTime(timestamp)).SerializeAsString(), timestamp.SerializeAsString());
  }
}

}  // namespace
}  // namespace jobtail::client::cli
