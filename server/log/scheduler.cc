#include "server/log/scheduler.h"

#include <pthread.h>

#include "absl/time/clock.h"

namespace jobtail {

Scheduler::Scheduler(const std::string& name) : thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

Scheduler::~Scheduler() { Stop(); }

void Scheduler::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

Scheduler::Id Scheduler::At(absl::Time time, std::function<void()> function) {
  absl::MutexLock lock(&mutex_);
  const Id id{time, next_id_++};
  const auto added = queue_.emplace(id, std::move(function)).first;
  if (added == queue_.begin()) changed_.Signal();
  return id;
}

void Scheduler::Cancel(Id id) {
  decltype(queue_)::node_type dropped;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  dropped = queue_.extract(id);
}

void Scheduler::Run() {
  absl::MutexLock lock(&mutex_);
  while (!stopping_) {
    if (queue_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    const auto first = queue_.begin();
    if (first->first.first > absl::Now()) {
      changed_.WaitWithDeadline(&mutex_, first->first.first);
      continue;
    }
    std::function<void()> function = std::move(first->second);
    queue_.erase(first);
    mutex_.Unlock();
    function();
    function = nullptr;  // what it holds on to is let go without the lock
    mutex_.Lock();
  }
}

}  // namespace jobtail
