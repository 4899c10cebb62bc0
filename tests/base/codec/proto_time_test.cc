// Tests of time conversions, up to the ends of what protobuf allows.

#include "base/codec/proto_time.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace jobtail {
namespace {

using google::protobuf::Timestamp;

Timestamp At(int64_t seconds, int32_t nanos) {
  Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(nanos);
  return timestamp;
}

constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinInt64 = std::numeric_limits<int64_t>::min();

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

TEST(UnixNanosTest, SurviveTheWayThroughATimestamp) {
  for (const int64_t time : {int64_t{0}, int64_t{1}, int64_t{-1}, kNanosPerSecond, -kNanosPerSecond,
                             -kNanosPerSecond - 1, 1'700'000'000 * kNanosPerSecond + 123'456'789,
                             -62 * kNanosPerSecond + 5, kMaxInt64, kMinInt64}) {
    EXPECT_EQ(ToUnixNanos(FromUnixNanos(time)), time);
    EXPECT_GE(FromUnixNanos(time).nanos(), 0) << time;
    EXPECT_LT(FromUnixNanos(time).nanos(), kNanosPerSecond) << time;
  }
}

TEST(UnixNanosTest, OfTimesFarAwayAreTheFirstOrTheLastThereIs) {
  constexpr int32_t kMaxNanos = std::numeric_limits<int32_t>::max();
  constexpr int32_t kMinNanos = std::numeric_limits<int32_t>::min();
  EXPECT_EQ(ToUnixNanos(At(kMaxTimestampSeconds, 0)), kMaxInt64);
  EXPECT_EQ(ToUnixNanos(At(kMinTimestampSeconds, 0)), kMinInt64);
  EXPECT_EQ(ToUnixNanos(At(kMaxInt64, kMaxNanos)), kMaxInt64);
  EXPECT_EQ(ToUnixNanos(At(kMinInt64, kMinNanos)), kMinInt64);
  EXPECT_EQ(ToUnixNanos(At(kMaxInt64 / kNanosPerSecond, kMaxNanos)), kMaxInt64);
  EXPECT_EQ(ToUnixNanos(At(kMinInt64 / kNanosPerSecond, kMinNanos)), kMinInt64);
}

TEST(TimestampTest, ConvertsBothWays) {
  for (const Timestamp& timestamp :
       {At(5, 7), At(-1, 999'999'999), At(0, 0), At(kMinTimestampSeconds, 0),
        At(kMaxTimestampSeconds, 999'999'999)}) {
    EXPECT_TRUE(IsValid(timestamp));
    EXPECT_EQ(ToTimestamp(ToTime(timestamp)).SerializeAsString(), timestamp.SerializeAsString());
  }
}

TEST(TimestampTest, OfWhatIsTooFarAwayIsTheFirstOrTheLastThereIs) {
  EXPECT_EQ(ToTimestamp(absl::InfiniteFuture()).seconds(), kMaxTimestampSeconds);
  EXPECT_EQ(ToTimestamp(absl::InfinitePast()).seconds(), kMinTimestampSeconds);
  EXPECT_TRUE(IsValid(ToTimestamp(absl::InfiniteFuture())));
  EXPECT_TRUE(IsValid(ToTimestamp(absl::FromUnixSeconds(kMaxInt64))));
  EXPECT_FALSE(IsValid(At(kMaxTimestampSeconds + 1, 0)));
  EXPECT_FALSE(IsValid(At(0, -1)));
  EXPECT_FALSE(IsValid(At(0, 1'000'000'000)));
}

TEST(ProtoDurationTest, ConvertsBothWaysAndCannotOverflow) {
  for (const absl::Duration duration :
       {absl::ZeroDuration(), absl::Nanoseconds(1), absl::Seconds(-5) - absl::Nanoseconds(7),
        absl::Hours(1'000'000)}) {
    EXPECT_EQ(ToDuration(ToProtoDuration(duration)), duration);
  }
  EXPECT_EQ(ToProtoDuration(absl::InfiniteDuration()).seconds(), kMaxDurationSeconds);
  EXPECT_EQ(ToProtoDuration(-absl::InfiniteDuration()).seconds(), -kMaxDurationSeconds);
  EXPECT_LE(ToProtoDuration(absl::Seconds(-1) - absl::Nanoseconds(1)).nanos(), 0);
}

}  // namespace
}  // namespace jobtail
