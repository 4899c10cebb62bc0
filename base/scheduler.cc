// A queue of functions, sorted by when they are due, and the thread that runs them.
#include "base/scheduler.h"

#include <pthread.h>

namespace jobtail {

Scheduler::Scheduler(const std::string& name, Clock* clock)
    : clock_(clock), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

Scheduler::~Scheduler() { Stop(); }

void Scheduler::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

Scheduler::Id Scheduler::After(absl::Duration delay, std::function<void()> function) {
  // Soon needs no look at the clock.
  const absl::Duration due = delay == -absl::InfiniteDuration() ? delay : clock_->Steady() + delay;
  std::lock_guard lock(mutex_);
  const Id id{due, next_id_++};
  const auto added = queue_.emplace(id, std::move(function)).first;
  if (added == queue_.begin()) changed_.notify_one();
  return id;
}

void Scheduler::Cancel(Id id) {
  decltype(queue_)::node_type dropped;  // destroyed without the lock
  std::lock_guard lock(mutex_);
  dropped = queue_.extract(id);
}

void Scheduler::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (queue_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = queue_.begin();
    const absl::Duration due = first->first.first;
    if (due > clock_->Steady()) {
      clock_->WaitUntil(due, lock, changed_);
      continue;
    }
    std::function<void()> function = std::move(first->second);
    queue_.erase(first);
    lock.unlock();
    function();
    function = nullptr;  // what it holds on to is let go without the lock
    lock.lock();
  }
}

}  // namespace jobtail
