// A queue of functions, sorted by when they are due, and the threads that run them.
#include "base/scheduler.h"

#include <pthread.h>

namespace jobtail {
namespace {

// Whose function this thread is running.
thread_local const Scheduler* running = nullptr;

}  // namespace

Scheduler::Scheduler(const std::string& name, Clock* clock, int threads,
                     const std::function<void()>& begin)
    : clock_(clock) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this, begin] {
      if (begin) begin();
      Run();
    });
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

Scheduler::~Scheduler() { Stop(); }

void Scheduler::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    first_changed_.notify_all();
    needed_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  decltype(queue_) dropped;  // destroyed without the lock
  std::lock_guard lock(mutex_);
  dropped.swap(queue_);
}

Scheduler::Id Scheduler::After(absl::Duration delay, std::function<void()> function) {
  // Soon needs no look at the clock.
  const absl::Duration due = delay == -absl::InfiniteDuration() ? delay : clock_->Steady() + delay;
  std::lock_guard lock(mutex_);
  const Id id{due, next_id_++};
  if (stopping_) return id;
  const auto added = queue_.emplace(id, std::move(function)).first;
  if (is_watched_) {
    if (added == queue_.begin()) first_changed_.notify_one();
  } else if (running != this) {  // or else this thread looks, as soon as it can
    needed_.notify_one();
  }
  return id;
}

void Scheduler::Cancel(Id id) {
  decltype(queue_)::node_type dropped;  // destroyed without the lock
  std::lock_guard lock(mutex_);
  dropped = queue_.extract(id);
}

void Scheduler::Run() {
  running = this;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (is_watched_ || queue_.empty()) {
      needed_.wait(lock);
      continue;
    }
    const auto first = queue_.begin();
    const absl::Duration due = first->first.first;
    if (due > clock_->Steady()) {
      is_watched_ = true;
      clock_->WaitUntil(due, lock, first_changed_);
      is_watched_ = false;
      continue;
    }
    std::function<void()> function = std::move(first->second);
    queue_.erase(first);
    if (!queue_.empty()) needed_.notify_one();  // while this thread is at work
    lock.unlock();
    function();
    function = nullptr;  // what it holds on to is let go without the lock
    lock.lock();
  }
}

}  // namespace jobtail
