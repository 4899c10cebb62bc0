// Raising a flag, and waiting for it.

#include "client/cli/flag.h"

namespace jobtail::client::cli {

void Flag::Raise() {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_up_ = true;
  raised_.notify_all();
}

void Flag::Lower() {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_up_ = false;
}

bool Flag::Await(absl::Duration time) {
  const absl::Duration deadline = clock_->Steady() + time;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!is_up_ && clock_->Steady() < deadline) clock_->WaitUntil(deadline, lock, raised_);
  return is_up_;
}

}  // namespace jobtail::client::cli
