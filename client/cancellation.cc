// Calls and waits that another thread can end.

#include "client/cancellation.h"

namespace jobtail::client {

void Cancellation::Cancel() {
  const std::lock_guard<std::mutex> lock(mutex_);
  cancelled_ = true;
  for (grpc::ClientContext* const context : calls_) context->TryCancel();
  changed_.notify_all();
}

bool Cancellation::cancelled() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return cancelled_;
}

bool Cancellation::WaitUntil(Clock* clock, absl::Duration deadline) const {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!cancelled_ && clock->Steady() < deadline) clock->WaitUntil(deadline, lock, changed_);
  return cancelled_;
}

void Cancellation::Add(grpc::ClientContext* context) {
  const std::lock_guard<std::mutex> lock(mutex_);
  calls_.insert(context);
  if (cancelled_) context->TryCancel();
}

void Cancellation::Remove(grpc::ClientContext* context) {
  const std::lock_guard<std::mutex> lock(mutex_);
  calls_.erase(context);
}

}  // namespace jobtail::client
