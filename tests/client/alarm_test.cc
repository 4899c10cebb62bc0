// Tests of the alarm behind `run --timeout`.
#include "client/cli/alarm.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "tests/support/fake_clock.h"
#include "tests/support/passing_time.h"

namespace jobtail::client::cli {
namespace {

TEST(AlarmTest, RingsAfterItsTimeWhateverTheTimeOfDay) {
  for (const absl::Duration step : {absl::Hours(24), -absl::Hours(24)}) {
    FakeClock clock;
    const absl::Duration begin = clock.Steady();
    absl::Duration end;
    absl::Notification rung;
    const auto ring = [&] {
      end = clock.Steady();
      rung.Notify();
    };
    const Alarm alarm(absl::Minutes(10), ring, &clock);
    clock.SetForward(step);
    EXPECT_FALSE(alarm.has_rung());
    const PassingTime time(&clock, absl::Seconds(1));
    rung.WaitForNotification();
    EXPECT_TRUE(alarm.has_rung());
    EXPECT_GE(end - begin, absl::Minutes(10));
  }
}

TEST(AlarmTest, IsSilentOnceItIsGone) {
  FakeClock clock;
  bool has_rung = false;
  {
    const Alarm alarm(
        absl::Minutes(10), [&] { has_rung = true; }, &clock);
  }
  clock.Advance(absl::Minutes(10));
  EXPECT_FALSE(has_rung);
}

TEST(AlarmTest, NeverRingsAfterAnInfiniteTime) {
  FakeClock clock;
  const Alarm alarm(
      absl::InfiniteDuration(), [] { ADD_FAILURE(); }, &clock);
  clock.Advance(absl::Hours(1'000'000));
  EXPECT_FALSE(alarm.has_rung());
}

}  // namespace
}  // namespace jobtail::client::cli
