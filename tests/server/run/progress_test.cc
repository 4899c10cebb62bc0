// What a job reports of its progress.

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "absl/synchronization/notification.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/following.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

class ProgressTest : public testing::ClockedEngineTest {
 protected:
  // What is known of a run that reports this at its end.
  v1::RunProgress Report(double fraction, const std::string& text = "") {
    AddJob(Job("job", [=, this](JobContext& run) {
      clock_.Advance(absl::Seconds(2));
      run.Progress(fraction, text);
    }));
    const std::string run = Start("job");
    AwaitResult(run);
    return Get(run).progress();
  }
};

TEST_F(ProgressTest, IsNoneUnlessTheJobReportsIt) {
  AddJob(Job("job", [](JobContext&) {}));
  const std::string run = Start("job");
  AwaitResult(run);
  EXPECT_FALSE(Get(run).has_progress());
}

TEST_F(ProgressTest, IsShownWithSpeedAndTimeLeft) {
  const v1::RunProgress progress = Report(0.25, "step 1 of 4");
  EXPECT_EQ(progress.fraction(), 0.25);
  EXPECT_EQ(progress.text(), "step 1 of 4");
  EXPECT_EQ(progress.rate(), 0.125) << "a quarter in two seconds";
  EXPECT_EQ(progress.remaining().seconds(), 6);
  EXPECT_EQ(progress.remaining().nanos(), 0);
  EXPECT_EQ(progress.time().seconds(), absl::ToUnixSeconds(clock_.Now()));
}

TEST_F(ProgressTest, OfNothingHasNoTimeLeftToTell) {
  const v1::RunProgress progress = Report(0);
  EXPECT_EQ(progress.rate(), 0);
  EXPECT_FALSE(progress.has_remaining());
}

TEST_F(ProgressTest, StaysBetweenNoneAndAll) { EXPECT_EQ(Report(7).fraction(), 1); }

TEST_F(ProgressTest, IsNotNegative) { EXPECT_EQ(Report(-7).fraction(), 0); }

TEST_F(ProgressTest, IsANumber) {
  EXPECT_EQ(Report(std::numeric_limits<double>::quiet_NaN()).fraction(), 0);
}

// JSON, as browsers get it, has no durations beyond 10,000 years.
TEST_F(ProgressTest, CanBeToldInJsonHoweverSlowItIs) {
  const v1::RunProgress progress = Report(std::numeric_limits<double>::denorm_min());
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(progress, &json).ok());
}

TEST_F(ProgressTest, HasATextThatIsUtf8AndNotTooLong) {
  EXPECT_EQ(Report(1, "caf\xE9" + std::string(5000, 'x')).text(), "caf?" + std::string(1020, 'x'));
}

TEST_F(ProgressTest, ReachesReadersAsItComes) {
  absl::Notification seen;
  AddJob(Job("job", [&](JobContext& run) {
    run.Progress(0.5, "halfway");
    seen.WaitForNotification();
  }));
  v1::TailLogRequest request = testing::Follow();
  request.set_run(Start("job"));
  const auto cursor = engine_.TailLog(request);
  ASSERT_TRUE(cursor.ok());
  std::vector<v1::LogLine> lines;
  while (lines.empty() || !lines.back().has_progress()) {
    std::vector<Slice> slices;
    ASSERT_TRUE((*cursor)->Read(1 << 20, &slices).ok());
    lines = testing::Decode(slices);
    if (lines.empty()) testing::Await(**cursor);
  }
  EXPECT_EQ(lines.back().progress().text(), "halfway");
  EXPECT_EQ(lines.back().sequence(), 0);
  seen.Notify();
  AwaitResult(request.run());  // the job is done with `seen`
}

}  // namespace
}  // namespace jobtail
