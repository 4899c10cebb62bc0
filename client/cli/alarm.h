// A function that is called after a time, unless that is no longer wanted.
#ifndef JOBTAIL_CLIENT_CLI_ALARM_H_
#define JOBTAIL_CLIENT_CLI_ALARM_H_

#include <atomic>
#include <functional>
#include <optional>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/scheduler.h"

namespace jobtail::client::cli {

// A function that is called once, after a time by the steady clock, in a thread of its own.
// Destroying the alarm before then stops it; afterwards, waits for the function to return.
class Alarm {
 public:
  // absl::InfiniteDuration() is never. `clock` outlives the alarm.
  Alarm(absl::Duration after, std::function<void()> ring, Clock* clock = Clock::System());

  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Whether it has called, or is about to. Any thread.
  bool has_rung() const { return has_rung_; }

 private:
  std::atomic<bool> has_rung_ = false;
  std::optional<Scheduler> scheduler_;  // last: its thread uses the rest
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_ALARM_H_
