// A clock that stands still but for what a test does to it.
#ifndef JOBTAIL_TESTS_SUPPORT_FAKE_CLOCK_H_
#define JOBTAIL_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <chrono>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace jobtail {

// A clock that stands still but for what a test does to it. What waits for it looks again within a
// millisecond of real time after each step. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'700'000'000)) : now_(now) {}

  // Time passes.
  void Advance(absl::Duration duration) {
    absl::MutexLock lock(&mutex_);
    now_ += duration;
    steady_ += duration;
  }

  // Somebody sets the time of day, forward or backward; no time passes.
  void SetForward(absl::Duration step) {
    absl::MutexLock lock(&mutex_);
    now_ += step;
  }

  absl::Time Now() const override {
    absl::MutexLock lock(&mutex_);
    return now_;
  }

  absl::Duration Steady() const override {
    absl::MutexLock lock(&mutex_);
    return steady_;
  }

  void WaitUntil(absl::Duration deadline, std::unique_lock<std::mutex>& lock,
                 std::condition_variable& changed) override {
    if (Steady() >= deadline) return;
    changed.wait_for(lock, std::chrono::milliseconds(1));
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  absl::Duration steady_ ABSL_GUARDED_BY(mutex_) = absl::Hours(1);
};

}  // namespace jobtail

#endif  // JOBTAIL_TESTS_SUPPORT_FAKE_CLOCK_H_
