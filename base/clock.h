// The two clocks that everything asks: the time of day, and the steady one that waits go by.
#ifndef JOBTAIL_BASE_CLOCK_H_
#define JOBTAIL_BASE_CLOCK_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace jobtail {

// What time it is, in two ways that are not to be mixed up.
//
// Hazard: the time of day may jump, backward as well as forward, whenever somebody sets the
// system's clock. It dates things that people see and nothing else. How long something took or has
// still to wait is a difference of two looks at the steady clock.
//
// An interface, so that tests have hours pass in no time and set the clock while a run is at work
// (tests/support/fake_clock.h). Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // The system's; lives for ever.
  static Clock* System();

  // The time of day.
  virtual absl::Time Now() const = 0;

  // How long it is since some moment before the first call. Never decreases, and passes as fast
  // as time does.
  virtual absl::Duration Steady() const = 0;

  // Waits until `changed` is notified or Steady() has reached `deadline`, or for a shorter time for
  // no reason: the caller looks again at what it waits for. `lock` is held before and afterwards.
  // InfiniteDuration(): no deadline.
  virtual void WaitUntil(absl::Duration deadline, std::unique_lock<std::mutex>& lock,
                         std::condition_variable& changed) = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_CLOCK_H_
