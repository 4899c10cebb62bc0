// Tests of durations at a glance and of points in time that people type.

#include "client/cli/time_format.h"

#include <gtest/gtest.h>

namespace jobtail::client::cli {
namespace {

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

}  // namespace
}  // namespace jobtail::client::cli
