// An alarm as the one function of a scheduler.

#include "client/cli/alarm.h"

#include <utility>

namespace jobtail::client::cli {

Alarm::Alarm(absl::Duration after, std::function<void()> ring, Clock* clock) {
  if (after == absl::InfiniteDuration()) return;
  scheduler_.emplace("alarm", clock);
  scheduler_->After(after, [this, ring = std::move(ring)] {
    has_rung_ = true;
    ring();
  });
}

}  // namespace jobtail::client::cli
