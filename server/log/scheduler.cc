#include "server/log/scheduler.h"

#include <pthread.h>

#include <chrono>

#include "absl/time/clock.h"

namespace jobtail {
namespace {

using Clock = std::chrono::steady_clock;

// Two looks at two clocks differ by some microseconds anyway.
constexpr absl::Duration kClockStep = absl::Milliseconds(1);

absl::Time SteadyNow() {
  return absl::UnixEpoch() + absl::FromChrono(Clock::now().time_since_epoch());
}

}  // namespace

Scheduler::Scheduler(const std::string& name) : thread_([this] { Run(); }) {
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

Scheduler::Id Scheduler::At(absl::Time time, std::function<void()> function) {
  std::lock_guard lock(mutex_);
  const absl::Duration offset = SteadyNow() - absl::Now();
  // Equal times stay equal, unless the clock has been set.
  if (absl::AbsDuration(offset - offset_) > kClockStep) offset_ = offset;
  const Id id{time + offset_, next_id_++};
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
    const absl::Time due = first->first.first;
    if (due > SteadyNow()) {
      changed_.wait_until(lock,
                          Clock::time_point(absl::ToChronoNanoseconds(due - absl::UnixEpoch())));
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
