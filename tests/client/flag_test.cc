// Tests of the flag that the live table's threads wait for.
#include "client/cli/flag.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_clock.h"
#include "tests/support/passing_time.h"

namespace jobtail::client::cli {
namespace {

TEST(FlagTest, AwaitEndsAfterItsTimeWhateverTheTimeOfDay) {
  for (const absl::Duration step : {absl::Hours(24), -absl::Hours(24)}) {
    FakeClock clock;
    Flag flag(&clock);
    const absl::Duration begin = clock.Steady();
    std::thread setter([&] { clock.SetForward(step); });
    const PassingTime time(&clock, absl::Seconds(1));
    EXPECT_FALSE(flag.Await(absl::Minutes(10)));
    EXPECT_GE(clock.Steady() - begin, absl::Minutes(10));
    EXPECT_LT(clock.Steady() - begin, absl::Hours(24));
    setter.join();
  }
}

TEST(FlagTest, AwaitEndsWhenItIsRaised) {
  FakeClock clock;
  Flag flag(&clock);
  std::thread raiser([&] { flag.Raise(); });
  EXPECT_TRUE(flag.Await(absl::InfiniteDuration()));
  raiser.join();
  EXPECT_TRUE(flag.Await(absl::ZeroDuration())) << "it stays up";
  flag.Lower();
  EXPECT_FALSE(flag.Await(absl::ZeroDuration()));
}

}  // namespace
}  // namespace jobtail::client::cli
