// A queue of work whose givers wait.
#include "server/run/relay.h"

namespace jobtail {

void Relay::Serve() {
  absl::MutexLock lock(&mutex_);
  while (true) {
    mutex_.Await(absl::Condition(this, &Relay::HasWork));
    if (tasks_.empty()) return;
    Task* const task = tasks_.front();
    tasks_.pop_front();
    mutex_.Unlock();
    task->work();
    mutex_.Lock();
    task->done = true;  // it is gone as soon as its giver has the lock
  }
}

void Relay::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

void Relay::Do(absl::FunctionRef<void()> work) {
  Task task{work};
  absl::MutexLock lock(&mutex_);
  tasks_.push_back(&task);
  mutex_.Await(absl::Condition(&task.done));
}

}  // namespace jobtail
