// Tests of the commit policy: a table of pauses in, decisions out.

#include "server/log/commit_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "server/log/batch.h"

namespace jobtail {
namespace {

using When = CommitPolicy::When;

constexpr int64_t kMicro = 1000;
constexpr int64_t kMilli = 1000 * kMicro;
constexpr int64_t kHourNanos = 3600 * 1000 * kMilli;
constexpr int64_t kStart = 400'000 * kHourNanos;

// What a log does with its policy, without the log: lines come, and all is stored at once or when
// the test says so.
class Script {
 public:
  explicit Script(const CommitPolicy::Limits& limits) : policy_(limits) {}

  // Lines of `bytes` in all are printed in one call, at these times of day.
  CommitPolicy::Decision Append(const std::vector<int64_t>& times, size_t bytes = 100) {
    policy_.BeginAppend();
    for (const int64_t time : times) {
      policy_.Printed(time);
      if (unsaved_.open_bytes == 0) policy_.Opened();
      const size_t each = bytes / times.size();
      unsaved_.open_bytes += each;
      unsaved_.bytes += each;
      if (unsaved_.open_bytes >= kBatchBytes) Close();
    }
    return policy_.AfterAppend(unsaved_);
  }

  void Close() {
    if (unsaved_.open_bytes == 0) return;
    policy_.Closed(unsaved_.open_bytes);
    unsaved_.open_bytes = 0;
    ++unsaved_.closed_batches;
  }

  // All that there is is stored.
  void Store(absl::Duration took = absl::ZeroDuration()) {
    Close();
    unsaved_ = {};
    policy_.Stored(took);
  }

  absl::Duration delay() const { return policy_.DelayOf(unsaved_); }
  absl::Duration rest() const { return policy_.RestOf(unsaved_); }
  bool closes_open() const { return policy_.ClosesOpen(unsaved_); }
  const Unsaved& unsaved() const { return unsaved_; }

 private:
  CommitPolicy policy_;
  Unsaved unsaved_;
};

constexpr CommitPolicy::Limits kLimits{.commit_delay = absl::Microseconds(200),
                                       .full_commit_delay = absl::Milliseconds(2),
                                       .unsaved_bytes = 8 << 20};

// A line was stored at kStart, in no time; then there are these.
struct Case {
  std::string name;
  std::vector<int64_t> microseconds;  // each line's, after that
  When last;                          // what becomes of the last
  absl::Duration store_took = absl::ZeroDuration();
};

class CommitPolicyTest : public ::testing::TestWithParam<Case> {};

TEST_P(CommitPolicyTest, DecidesByThePausesBetweenLines) {
  Script script(kLimits);
  ASSERT_EQ(script.Append({kStart}).when, When::kNow);
  script.Store(GetParam().store_took);
  CommitPolicy::Decision decision;
  for (const int64_t time : GetParam().microseconds) {
    decision = script.Append({kStart + time * kMicro});
  }
  EXPECT_EQ(decision.when, GetParam().last);
  EXPECT_EQ(decision.close, GetParam().last == When::kNow);
}

constexpr int64_t kBack = -3'600'000'000;     // an hour
constexpr int64_t kForward = 86'400'000'000;  // a day

INSTANTIATE_TEST_SUITE_P(
    Lines, CommitPolicyTest,
    ::testing::ValuesIn(std::vector<Case>{
        {"AfterAPause", {200}, When::kNow},
        {"Soon", {199}, When::kLater},
        {"AtTheSameTime", {0}, When::kLater},
        {"AfterAPauseWhateverWaits", {10, 20, 220}, When::kNow},
        {"NeverFarApart", {150, 300, 450}, When::kLater},
        {"UntilTheCommitterIsLate", {150, 300, 450, 550}, When::kNow},
        {"WhileTheStoreTookLong", {1150}, When::kLater, absl::Milliseconds(1)},
        {"AfterThat", {1200}, When::kNow, absl::Milliseconds(1)},
        {"ALittleBefore", {-50}, When::kLater},
        {"ALittleBeforeAndThenAPause", {-50, 150}, When::kLater},
        {"ALittleBeforeAndThenALongerPause", {-50, 200}, When::kNow},
        // Somebody sets the clock.
        {"SetBack", {kBack}, When::kLater},
        {"SoonAfterItWasSetBack", {kBack, kBack + 100}, When::kLater},
        {"AfterAPauseThoughItWasSetBack", {kBack, kBack + 300}, When::kNow},
        {"LateThoughItWasSetBack", {kBack, kBack + 150, kBack + 300, kBack + 420}, When::kNow},
        {"SetForward", {kForward}, When::kNow},
        {"SoonAfterItWasSetForward", {kForward, kForward + 100}, When::kLater},
        {"SetForwardAndBack", {100, kForward, 200, 300}, When::kNow},
    }),
    [](const auto& test) { return test.param.name; });

TEST(CommitPolicy, TakesTheLinesOfOneCallForOne) {
  Script script(kLimits);
  EXPECT_EQ(script.Append({kStart, kStart + kMicro, kStart + 2 * kMicro}).when, When::kNow);
}

TEST(CommitPolicy, HasNothingToDoWhereThereIsNothing) {
  Script script(kLimits);
  EXPECT_EQ(script.Append({}).when, When::kNothing);
}

// 250 lines within a millisecond, or within ten; a batch holds about 131.
std::vector<absl::Duration> DelaysAfterABatch(int64_t between) {
  Script script(kLimits);
  script.Append({kStart});
  script.Store();
  std::vector<absl::Duration> delays{script.delay()};
  int64_t time = kStart;
  while (script.unsaved().closed_batches == 0) script.Append({time += between}, 1000);
  delays.push_back(script.delay());
  script.Store();
  delays.push_back(script.delay());
  return delays;
}

TEST(CommitPolicy, GivesBatchesTimeToFillWhereTheyDo) {
  EXPECT_THAT(
      DelaysAfterABatch(4 * kMicro),
      ::testing::ElementsAre(absl::Microseconds(200), absl::Milliseconds(2), absl::Milliseconds(2)))
      << "more of them are to be stored with the first";
}

TEST(CommitPolicy, WaitsNoLongerWhereBatchesDoNotFillInTime) {
  EXPECT_THAT(DelaysAfterABatch(40 * kMicro),
              ::testing::ElementsAre(absl::Microseconds(200), absl::ZeroDuration(),
                                     absl::Microseconds(200)));
}

TEST(CommitPolicy, TellsWhetherLinesFillBatches) {
  CommitPolicy policy(kLimits);
  EXPECT_FALSE(policy.FillsBatches());
  const auto print = [&policy](int64_t begin, int64_t end, size_t bytes) {
    policy.BeginAppend();
    policy.Printed(begin);
    policy.Opened();
    policy.Printed(end);
    policy.Closed(bytes);
  };
  print(kStart, kStart + kMilli, kBatchBytes);
  EXPECT_TRUE(policy.FillsBatches());
  print(kStart + kHourNanos, kStart + kHourNanos + kMilli, 100);
  EXPECT_FALSE(policy.FillsBatches());
}

TEST(CommitPolicy, LeavesFullBatchesToTheCommitterUntilTheyAreMany) {
  Script script(kLimits);
  script.Append({kStart});
  script.Store();
  for (size_t batches = 1; batches <= CommitPolicy::kCrowd; ++batches) {
    const CommitPolicy::Decision decision = script.Append({kStart}, kBatchBytes);
    EXPECT_EQ(script.unsaved().closed_batches, batches);
    EXPECT_EQ(decision.when, batches < CommitPolicy::kCrowd ? When::kLater : When::kNow);
    EXPECT_FALSE(decision.close);
    EXPECT_EQ(script.delay() == absl::ZeroDuration(), batches >= CommitPolicy::kMostAtOnce)
        << "then it is to come at once";
  }
}

TEST(CommitPolicy, HasHalfOfWhatMayBeUnsavedStoredAtOnce) {
  CommitPolicy::Limits limits = kLimits;
  limits.unsaved_bytes = 10'000;
  Script script(limits);
  script.Append({kStart});
  script.Store();
  EXPECT_EQ(script.Append({kStart}, 4900).when, When::kLater);
  const CommitPolicy::Decision decision = script.Append({kStart}, 100);
  EXPECT_EQ(decision.when, When::kNow);
  EXPECT_TRUE(decision.close) << "or there would be nothing to store";
}

TEST(CommitPolicy, DoesNotCutABatchThatFillsForAFullOne) {
  Script script(kLimits);
  script.Append({kStart});
  script.Store();
  int64_t time = kStart;
  for (int i = 0; i < 200; ++i) script.Append({time += kMicro}, 1000);
  ASSERT_EQ(script.unsaved().closed_batches, 1);
  ASSERT_GT(script.unsaved().open_bytes, 0);
  EXPECT_FALSE(script.closes_open());
  script.Append({time + 2 * kMilli}, 0);
  EXPECT_TRUE(script.closes_open()) << "now it has been open for long";
}

TEST(CommitPolicy, TellsWhatIsLeftOfTheDelay) {
  Script script(kLimits);
  script.Append({kStart});
  script.Store();
  script.Append({kStart + 10 * kMicro});
  EXPECT_EQ(script.rest(), absl::Microseconds(200));
  script.Append({kStart + 60 * kMicro});
  EXPECT_EQ(script.rest(), absl::Microseconds(150));
  script.Append({kStart + 90 * kMilli});
  EXPECT_EQ(script.rest(), absl::ZeroDuration());
}

TEST(CommitPolicy, BearsLimitsAndTimesOfAnyLength) {
  Script script({.commit_delay = absl::InfiniteDuration(),
                 .full_commit_delay = absl::InfiniteDuration(),
                 .unsaved_bytes = 8 << 20});
  for (int i = 0; i < 100; ++i) {
    script.Append({std::numeric_limits<int64_t>::max(), 0, -kHourNanos});
    script.Store(absl::InfiniteDuration());
  }
  EXPECT_EQ(script.Append({0}).when, When::kLater);
}

}  // namespace
}  // namespace jobtail
