// A function that is called after a time, unless that is no longer wanted.

#include "client/cli/alarm.h"

#include <utility>

namespace jobtail::client::cli {

Alarm::Alarm(absl::Duration after, std::function<void()> ring) {
  if (after == absl::InfiniteDuration()) return;
  thread_ = std::thread([this, after, ring = std::move(ring)] {
    {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopped_), after)) return;
      has_rung_ = true;
    }
    ring();
  });
}

Alarm::~Alarm() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

bool Alarm::has_rung() const {
  absl::MutexLock lock(&mutex_);
  return has_rung_;
}

}  // namespace jobtail::client::cli
