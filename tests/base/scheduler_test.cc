// Tests of the scheduler's order, times and threads.

#include "base/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "tests/support/fake_clock.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;

// Keeps the scheduler busy, so that what is added meanwhile is sorted before any of it runs.
class Busy {
 public:
  explicit Busy(Scheduler* scheduler) {
    scheduler->Soon([this] {
      running_.Notify();
      released_.WaitForNotification();
    });
    running_.WaitForNotification();
  }
  void Release() { released_.Notify(); }

 private:
  absl::Notification running_;
  absl::Notification released_;
};

// Calls `function` when it is destroyed.
std::shared_ptr<void> WhenDropped(std::function<void()> function) {
  return {nullptr, [function = std::move(function)](void*) { function(); }};
}

TEST(Scheduler, RunsFunctionsInTheOrderOfTheirTimes) {
  std::vector<int> order;
  absl::Notification done;
  Scheduler scheduler("test");
  Busy busy(&scheduler);
  scheduler.After(absl::Milliseconds(3), [&] {
    order.push_back(4);
    done.Notify();
  });
  scheduler.After(absl::Milliseconds(1), [&] { order.push_back(2); });
  scheduler.After(absl::Milliseconds(2), [&] { order.push_back(3); });
  scheduler.Soon([&] { order.push_back(1); });
  busy.Release();
  done.WaitForNotification();
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 4));
}

TEST(Scheduler, RunsFunctionsOfTheSameTimeInTheOrderTheyWereAdded) {
  std::vector<int> order;
  absl::Notification done;
  Scheduler scheduler("test");
  Busy busy(&scheduler);
  for (int i = 0; i < 5; ++i) scheduler.Soon([&order, i] { order.push_back(i); });
  scheduler.Soon([&] { done.Notify(); });
  busy.Release();
  done.WaitForNotification();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
}

TEST(Scheduler, DoesNotRunAFunctionBeforeItsTime) {
  FakeClock clock;
  const absl::Duration due = clock.Steady() + absl::Hours(2);
  absl::Duration ran;
  absl::Notification done;
  Scheduler scheduler("test", &clock);
  scheduler.After(absl::Hours(2), [&] {
    ran = clock.Steady();
    done.Notify();
  });
  while (!done.HasBeenNotified()) {
    clock.Advance(absl::Minutes(20));
    absl::Notification looked;  // it has seen this time, and run what was due
    scheduler.Soon([&] { looked.Notify(); });
    looked.WaitForNotification();
  }
  EXPECT_GE(ran, due);
}

TEST(Scheduler, IsNotDisturbedByWhoeverSetsTheTimeOfDay) {
  FakeClock clock;
  bool ran = false;
  Scheduler scheduler("test", &clock);
  scheduler.After(absl::Hours(1), [&] { ran = true; });
  clock.SetForward(absl::Hours(24));
  absl::Notification looked;
  scheduler.Soon([&] { looked.Notify(); });
  looked.WaitForNotification();
  EXPECT_FALSE(ran);
  clock.SetForward(absl::Hours(-48));
  absl::Notification done;
  scheduler.After(absl::Hours(1), [&] { done.Notify(); });
  clock.Advance(absl::Hours(1));
  done.WaitForNotification();
  EXPECT_TRUE(ran);
}

TEST(Scheduler, RunsOnTheSystemsClock) {
  absl::Notification done;
  Scheduler scheduler("test");
  scheduler.After(absl::Milliseconds(1), [&] { done.Notify(); });
  done.WaitForNotification();
}

TEST(Scheduler, RunsAnEarlierFunctionWhileItWaitsForALaterOne) {
  bool later = false;
  absl::Notification done;
  Scheduler scheduler("test");
  scheduler.After(absl::InfiniteDuration(), [&] { later = true; });
  scheduler.After(absl::Milliseconds(1), [&] { done.Notify(); });
  done.WaitForNotification();
  EXPECT_FALSE(later);
}

TEST(Scheduler, RunsThemAllOnOneThreadOfItsOwn) {
  std::thread::id first;
  std::thread::id second;
  absl::Notification done;
  Scheduler scheduler("test");
  scheduler.Soon([&] { first = std::this_thread::get_id(); });
  scheduler.Soon([&] {
    second = std::this_thread::get_id();
    done.Notify();
  });
  done.WaitForNotification();
  EXPECT_EQ(first, second);
  EXPECT_NE(first, std::this_thread::get_id());
}

TEST(Scheduler, TakesFunctionsFromTheFunctionsItRuns) {
  absl::Notification done;
  Scheduler scheduler("test");
  scheduler.Soon([&] { scheduler.Soon([&] { done.Notify(); }); });
  done.WaitForNotification();
}

TEST(Scheduler, TakesFunctionsFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  int count = 0;
  absl::Notification done;
  Scheduler scheduler("test");
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        scheduler.Soon([&] {
          if (++count == kThreads * kEach) done.Notify();
        });
      }
    });
  }
  done.WaitForNotification();
}

TEST(Scheduler, DoesNotRunWhatWasCancelled) {
  bool ran = false;
  absl::Notification done;
  Scheduler scheduler("test");
  Busy busy(&scheduler);
  const Scheduler::Id id = scheduler.Soon([&] { ran = true; });
  scheduler.Soon([&] { done.Notify(); });
  scheduler.Cancel(id);
  busy.Release();
  done.WaitForNotification();
  EXPECT_FALSE(ran);
}

TEST(Scheduler, CancellingWhatHasRunDoesNothing) {
  absl::Notification done;
  Scheduler scheduler("test");
  const Scheduler::Id id = scheduler.Soon([&] { done.Notify(); });
  done.WaitForNotification();
  scheduler.Cancel(id);
}

TEST(Scheduler, LetsGoOfAFunctionAfterItHasRunWithoutItsLock) {
  absl::Notification dropped;
  Scheduler scheduler("test");
  scheduler.Soon([hold = WhenDropped([&] { scheduler.Soon([&] { dropped.Notify(); }); })] {});
  dropped.WaitForNotification();
}

TEST(Scheduler, LetsGoOfACancelledFunctionWithoutItsLock) {
  absl::Notification dropped;
  Scheduler scheduler("test");
  const Scheduler::Id id =
      scheduler.After(absl::InfiniteDuration(),
                      [hold = WhenDropped([&] { scheduler.Soon([&] { dropped.Notify(); }); })] {});
  scheduler.Cancel(id);
  dropped.WaitForNotification();
}

TEST(Scheduler, DropsAtItsEndWhatHasNotRun) {
  bool ran = false;
  bool dropped = false;
  {
    Scheduler scheduler("test");
    scheduler.After(absl::InfiniteDuration(),
                    [&, hold = WhenDropped([&] { dropped = true; })] { ran = true; });
  }
  EXPECT_FALSE(ran);
  EXPECT_TRUE(dropped);
}

// While a function is at work that has added others itself, a thread that is idle is there for what
// anybody else adds.
TEST(Scheduler, WithTwoThreadsRunsWhatOthersAddWhileAFunctionBlocks) {
  for (int round = 0; round < 200; ++round) {
    absl::Notification added;
    absl::Notification release;
    absl::Notification other;
    Scheduler scheduler("test", Clock::System(), /*threads=*/2);
    scheduler.Soon([&] {
      scheduler.Soon([] {});
      added.Notify();
      release.WaitForNotification();
    });
    added.WaitForNotification();
    scheduler.After(absl::ZeroDuration(), [&] { other.Notify(); });
    EXPECT_TRUE(other.WaitForNotificationWithTimeout(absl::Seconds(20)));
    release.Notify();
  }
}

TEST(Scheduler, WithTwoThreadsGoesOnWithWhatItsFunctionsAdd) {
  constexpr int kFunctions = 500;
  std::atomic<int> ran = 0;
  absl::Notification done;
  Scheduler scheduler("test", Clock::System(), /*threads=*/2);
  std::function<void()> next = [&] {
    if (++ran == kFunctions) return done.Notify();
    scheduler.After(absl::Microseconds(ran % 3 * 50), next);
  };
  scheduler.Soon(next);
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(20)));
}

// An earlier function that a busy thread adds must not wait for the one that another watches.
TEST(Scheduler, WithTwoThreadsRunsWhatAFunctionAddsBeforeWhatAnotherThreadWaitsFor) {
  for (int round = 0; round < 50; ++round) {
    absl::Notification done;
    Scheduler scheduler("test", Clock::System(), /*threads=*/2);
    scheduler.After(absl::Hours(1), [] {});
    scheduler.Soon([&] { scheduler.After(absl::Microseconds(10), [&] { done.Notify(); }); });
    EXPECT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(20)));
  }
}

}  // namespace
}  // namespace jobtail
