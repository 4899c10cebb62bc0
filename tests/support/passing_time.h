// A thread that makes a fake clock run.
#ifndef JOBTAIL_TESTS_SUPPORT_PASSING_TIME_H_
#define JOBTAIL_TESTS_SUPPORT_PASSING_TIME_H_

#include <chrono>
#include <thread>

#include "absl/time/time.h"
#include "tests/support/fake_clock.h"

namespace jobtail {

// While it exists, time passes on a clock that otherwise stands still, a step for about each tenth
// of a millisecond: for tests in which something comes after a while and it does not matter when.
class PassingTime {
 public:
  explicit PassingTime(FakeClock* clock, absl::Duration step = absl::Milliseconds(1))
      : thread_([clock, step](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            clock->Advance(step);
            std::this_thread::sleep_for(std::chrono::microseconds(50));  // leaves room for others
          }
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace jobtail

#endif  // JOBTAIL_TESTS_SUPPORT_PASSING_TIME_H_
