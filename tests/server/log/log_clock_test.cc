// What becomes of a log when somebody sets the clock.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "server/log/log.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using testing::Out;
using testing::ReadToEnd;

// The parameter is by how much the clock is set forward.
class LogClock : public testing::LogTest, public ::testing::WithParamInterface<absl::Duration> {
 protected:
  static constexpr int kLines = 10;

  // Prints a line a second, with the clock set after half of them. Returns when.
  std::vector<absl::Time> Print(Log& log) {
    std::vector<absl::Time> times;
    for (int i = 0; i < kLines; ++i) {
      if (i == kLines / 2) clock_.SetForward(GetParam());
      clock_.Advance(absl::Seconds(1));
      times.push_back(clock_.Now());
      log.Append({Out("line", absl::ToUnixNanos(clock_.Now()))});
      shown_.push_back(log.GetSnapshot().last);
    }
    return times;
  }

  std::vector<int64_t> shown_;  // after each line
};

INSTANTIATE_TEST_SUITE_P(Steps, LogClock,
                         ::testing::Values(absl::ZeroDuration(), absl::Hours(-1), absl::Hours(24)));

TEST_P(LogClock, NeverDatesARecordBeforeTheOneBeforeIt) {
  const auto log = MakeLog();
  Print(*log);
  Finish(*log);
  const std::vector<v1::LogLine> lines = ReadToEnd(log);
  ASSERT_EQ(lines.size(), kLines + 1);
  for (size_t i = 1; i < lines.size(); ++i) {
    EXPECT_GE(ToUnixNanos(lines[i].time()), ToUnixNanos(lines[i - 1].time()));
  }
}

TEST_P(LogClock, FindsLaterRecordsForLaterTimes) {
  const auto log = MakeLog();
  std::vector<absl::Time> times = Print(*log);
  Finish(*log);
  const std::vector<v1::LogLine> lines = ReadToEnd(log);
  std::ranges::sort(times);
  int64_t before = 1;
  for (const absl::Time since : times) {
    const int64_t found = *log->FindTime(absl::ToUnixNanos(since));
    EXPECT_GE(found, before);
    before = found;
    if (found > 1) {
      EXPECT_LT(ToUnixNanos(lines[found - 2].time()), absl::ToUnixNanos(since));
    }
    if (found <= kLines) {
      EXPECT_GE(ToUnixNanos(lines[found - 1].time()), absl::ToUnixNanos(since));
    }
  }
}

// But for the very line after it was set back, with which nobody can tell how long it was quiet.
TEST_P(LogClock, StillShowsEachLineThatComesAloneAtOnce) {
  const auto log = MakeLog();
  Print(*log);
  const bool is_set_back = GetParam() < absl::ZeroDuration();
  for (int i = 0; i < kLines; ++i) {
    EXPECT_EQ(shown_[i], is_set_back && i == kLines / 2 ? i : i + 1);
  }
}

}  // namespace
}  // namespace jobtail
