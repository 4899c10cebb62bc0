// Tests of what a job's function gets from its context.

#include "server/run/job_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "tests/support/fake_clock.h"

namespace jobtail {
namespace {

class JobContextTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  std::stop_source stop_;
  std::string reported_;
  const JobContext context_{"run",
                            {{"name", std::string("x")},
                             {"times", int64_t{3}},
                             {"rate", 0.5},
                             {"loud", true},
                             {"wait", absl::Seconds(2)}},
                            stop_.get_token(),
                            [this](double, std::string_view text) { reported_ = text; },
                            &clock_};
};

TEST_F(JobContextTest, GivesTheParametersByNameAndType) {
  EXPECT_EQ(context_.run_id(), "run");
  EXPECT_EQ(context_.Get<std::string>("name"), "x");
  EXPECT_EQ(context_.Get<int64_t>("times"), 3);
  EXPECT_EQ(context_.Get<double>("rate"), 0.5);
  EXPECT_EQ(context_.Get<bool>("loud"), true);
  EXPECT_EQ(context_.Get<absl::Duration>("wait"), absl::Seconds(2));
  EXPECT_EQ(context_.Get<std::chrono::milliseconds>("wait"), std::chrono::seconds(2));
  EXPECT_EQ(context_.Get<std::chrono::duration<double>>("wait").count(), 2.0);
}

std::string Thrown(const std::function<void()>& function) {
  try {
    function();
  } catch (const std::invalid_argument& exception) {
    return exception.what();
  }
  return "";
}

TEST_F(JobContextTest, ThrowsForAParameterThatIsNotDeclaredSo) {
  EXPECT_EQ(Thrown([&] { context_.Get<int64_t>("time"); }), "parameter time is not declared");
  EXPECT_EQ(Thrown([&] { context_.Get<double>("times"); }),
            "parameter times is declared with another type");
}

TEST_F(JobContextTest, SleepsToTheEndUnlessItIsToStop) {
  std::atomic<bool> slept = false;
  std::jthread sleeping([&] {
    EXPECT_TRUE(context_.SleepFor(absl::Hours(1)));
    slept = true;
  });
  clock_.SetForward(absl::Hours(24));
  clock_.Advance(absl::Minutes(59));
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  EXPECT_FALSE(slept);
  while (!slept) clock_.Advance(absl::Minutes(1));  // it may not have begun before
  sleeping.join();
  EXPECT_TRUE(context_.SleepFor(absl::ZeroDuration()));
  EXPECT_TRUE(context_.SleepFor(absl::Seconds(-1)));
  EXPECT_TRUE(context_.SleepFor(std::chrono::seconds(0)));
}

TEST_F(JobContextTest, DoesNotSleepOnceItIsToStop) {
  stop_.request_stop();
  EXPECT_FALSE(context_.SleepFor(absl::Hours(1)));
  EXPECT_FALSE(context_.SleepFor(absl::ZeroDuration()));
}

TEST_F(JobContextTest, IsWokenWhenItIsToStop) {
  for (const absl::Duration duration :
       {absl::Hours(1), absl::Hours(24 * 365 * 1000), absl::InfiniteDuration()}) {
    std::stop_source stop;
    const JobContext context("run", {}, stop.get_token(), [](double, std::string_view) {});
    absl::Notification sleeping;
    std::jthread stopping([&] {
      sleeping.WaitForNotification();
      stop.request_stop();
    });
    sleeping.Notify();
    EXPECT_FALSE(context.SleepFor(duration)) << duration;
  }
}

TEST_F(JobContextTest, HandsProgressOn) {
  context_.Progress(0.5, "halfway");
  EXPECT_EQ(reported_, "halfway");
}

}  // namespace
}  // namespace jobtail
