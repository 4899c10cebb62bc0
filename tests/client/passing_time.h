#ifndef JOBTAIL_TESTS_CLIENT_PASSING_TIME_H_
#define JOBTAIL_TESTS_CLIENT_PASSING_TIME_H_

#include <atomic>
#include <thread>

#include "absl/time/time.h"
#include "tests/support/fake_clock.h"

namespace jobtail::client {

// Lets a clock's time pass by itself, a second for about each millisecond, for as long as this
// lives: what waits for minutes ends in no time.
class PassingTime {
 public:
  explicit PassingTime(FakeClock* clock)
      : thread_([this, clock] {
          while (!stopped_) {
            clock->Advance(absl::Seconds(1));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
          }
        }) {}
  ~PassingTime() {
    stopped_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace jobtail::client

#endif  // JOBTAIL_TESTS_CLIENT_PASSING_TIME_H_
