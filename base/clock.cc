// The clocks of the system.
#include "base/clock.h"

#include <algorithm>
#include <chrono>

#include "absl/time/clock.h"

namespace jobtail {
namespace {

using std::chrono::steady_clock;

// Longer waits are cut: adding a deadline to the steady clock's own time must not overflow.
constexpr absl::Duration kLongestWait = absl::Hours(24);

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }

  absl::Duration Steady() const override {
    return absl::FromChrono(steady_clock::now().time_since_epoch());
  }

  // The standard library's wait goes by the steady clock; absl's would go by the time of day.
  void WaitUntil(absl::Duration deadline, std::unique_lock<std::mutex>& lock,
                 std::condition_variable& changed) override {
    const steady_clock::time_point now = steady_clock::now();
    const absl::Duration left = deadline - absl::FromChrono(now.time_since_epoch());
    changed.wait_until(lock, now + absl::ToChronoNanoseconds(std::min(left, kLongestWait)));
  }
};

}  // namespace

Clock* Clock::System() {
  static SystemClock* const clock = new SystemClock;
  return clock;
}

}  // namespace jobtail
