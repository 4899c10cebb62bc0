#ifndef JOBTAIL_SERVER_LOG_SCHEDULER_H_
#define JOBTAIL_SERVER_LOG_SCHEDULER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace jobtail {

// Runs functions at given times, one after the other, on a thread of its own. For short work only:
// what blocks here delays everything that is due. Thread-safe.
class Scheduler {
 public:
  using Id = std::pair<absl::Time, int64_t>;

  // `name` is the thread's, at most 15 characters.
  explicit Scheduler(const std::string& name);
  // Drops what has not run yet.
  ~Scheduler();

  // Waits for the function that is running, and runs no more; what is scheduled from now on is
  // dropped. For an owner whose functions use this object until then. Idempotent; not thread-safe.
  void Stop();

  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  Id At(absl::Time time, std::function<void()> function);
  Id Soon(std::function<void()> function) { return At(absl::InfinitePast(), std::move(function)); }

  // Drops the function if it has not begun. Does not wait for one that has.
  void Cancel(Id id);

 private:
  void Run();

  absl::Mutex mutex_;
  absl::CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t next_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<Id, std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_SCHEDULER_H_
