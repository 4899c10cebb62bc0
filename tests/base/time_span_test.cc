// Tests of durations in absl's terms and in those of <chrono>.

#include "base/time_span.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace jobtail {
namespace {

absl::Duration Of(TimeSpan span) { return span; }

TEST(TimeSpan, IsMadeOfBoth) {
  EXPECT_EQ(Of(absl::Seconds(3)), absl::Seconds(3));
  EXPECT_EQ(Of(std::chrono::nanoseconds(-7)), absl::Nanoseconds(-7));
  EXPECT_EQ(Of(std::chrono::milliseconds(1500)), absl::Milliseconds(1500));
  EXPECT_EQ(Of(std::chrono::hours(36)), absl::Hours(36));
  EXPECT_EQ(Of(std::chrono::days(2)), absl::Hours(48));
  EXPECT_EQ(Of(std::chrono::duration<double>(0.25)), absl::Milliseconds(250));
  EXPECT_EQ(Of(std::chrono::duration<float, std::milli>(0.5)), absl::Microseconds(500));
}

TEST(TimeSpan, IsInfiniteWhereItIsTooLong) {
  EXPECT_EQ(Of(std::chrono::hours::max()), absl::InfiniteDuration());
  EXPECT_EQ(Of(std::chrono::hours::min()), -absl::InfiniteDuration());
  EXPECT_EQ(Of(std::chrono::duration<double>(std::numeric_limits<double>::infinity())),
            absl::InfiniteDuration());
}

TEST(TimeSpan, CountsLikeADuration) {
  const TimeSpan span = std::chrono::seconds(3);
  EXPECT_EQ(span * 2, absl::Seconds(6));
  EXPECT_GT(span, absl::Seconds(2));
  EXPECT_EQ(absl::FormatDuration(span), "3s");
}

}  // namespace
}  // namespace jobtail
