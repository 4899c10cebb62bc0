// What is said of a store that answers, refuses, or hangs.

#include "server/metrics/health.h"

#include <gmock/gmock.h>

#include <deque>
#include <optional>

#include "absl/synchronization/notification.h"
#include "tests/support/fake_clock.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Eventually;
using ::testing::HasSubstr;

class HealthTest : public ::testing::Test {
 protected:
  HealthTest() {
    health_.emplace([this] { return Answer(); }, [this](auto check) { Defer(std::move(check)); },
                    [this](bool healthy) { Note(healthy); }, &clock_);
  }

  absl::Status Answer() {
    absl::MutexLock lock(&mutex_);
    return answer_;
  }
  void SetAnswer(absl::Status answer) {
    absl::MutexLock lock(&mutex_);
    answer_ = std::move(answer);
  }
  void Defer(std::function<void()> check) {
    absl::MutexLock lock(&mutex_);
    checks_.push_back(std::move(check));
  }
  // Waits for the next question, and has it answered. Lets more time pass if none comes: the look
  // before may have been under way, and its interval not begun, when it last passed.
  void AnswerOne() {
    std::function<void()> check;
    {
      absl::MutexLock lock(&mutex_);
      const auto asked = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !checks_.empty(); };
      while (!mutex_.AwaitWithTimeout(absl::Condition(&asked), absl::Milliseconds(20))) Pass();
      check = std::move(checks_.front());
      checks_.pop_front();
    }
    check();
  }
  void Note(bool healthy) {
    absl::MutexLock lock(&mutex_);
    told_.push_back(healthy);
  }
  std::vector<bool> told() {
    absl::MutexLock lock(&mutex_);
    return told_;
  }
  // The next look at the store.
  void Pass() { clock_.Advance(Health::kInterval); }

  FakeClock clock_;
  absl::Mutex mutex_;
  absl::Status answer_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::function<void()>> checks_ ABSL_GUARDED_BY(mutex_);
  std::vector<bool> told_ ABSL_GUARDED_BY(mutex_);
  std::optional<Health> health_;
};

TEST_F(HealthTest, TellsChangesAlone) {
  EXPECT_THAT(told(), ElementsAre(true));
  for (int i = 0; i < 10; ++i) {
    AnswerOne();
    Pass();
  }
  EXPECT_THAT(told(), ElementsAre(true));
  SetAnswer(absl::ResourceExhaustedError("the disk is full"));
  AnswerOne();
  EXPECT_EQ(health_->Get(), absl::ResourceExhaustedError("the disk is full"));
  Pass();
  AnswerOne();
  EXPECT_TRUE(Eventually([this] { return told().size() == 2; }));
  SetAnswer(absl::OkStatus());
  Pass();
  AnswerOne();
  Pass();
  EXPECT_TRUE(Eventually([this] { return told().size() == 3; }));
  EXPECT_THAT(told(), ElementsAre(true, false, true));
}

TEST_F(HealthTest, AStoreThatDoesNotAnswerIsNotHealthy) {
  clock_.Advance(Health::kPatience - absl::Milliseconds(1));
  EXPECT_TRUE(health_->Get().ok());
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(std::string(health_->Get().message()), HasSubstr("has not answered for 5 s"));
  EXPECT_TRUE(Eventually([this] {
    return told() == std::vector<bool>{true, false};
  })) << "though the thread that asked still waits";
  AnswerOne();
  EXPECT_TRUE(health_->Get().ok());
}

// Its calls return at once, but say that its upkeep has not come round.
TEST_F(HealthTest, AStoreThatSaysThatItsDiskHangsIsNotHealthy) {
  SetAnswer(absl::UnavailableError("the disk hangs"));
  AnswerOne();
  EXPECT_EQ(health_->Get(), absl::UnavailableError("the disk hangs"));
  Pass();
  EXPECT_TRUE(Eventually([this] { return told() == std::vector<bool>{true, false}; }));
}

TEST_F(HealthTest, GoesByTheTimeThatPasses) {
  clock_.SetForward(absl::Hours(1));
  EXPECT_TRUE(health_->Get().ok());
  clock_.SetForward(-absl::Hours(2));
  clock_.Advance(Health::kPatience);
  EXPECT_FALSE(health_->Get().ok());
}

TEST_F(HealthTest, AServerThatStopsTakesNoNewRuns) {
  health_->Stop();
  EXPECT_EQ(health_->Get().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(told(), ElementsAre(true, false));
}

TEST_F(HealthTest, AnAnswerMayComeWhenNobodyIsLeftToHearIt) {
  health_.reset();
  AnswerOne();
}

}  // namespace
}  // namespace jobtail
