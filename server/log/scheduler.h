#ifndef JOBTAIL_SERVER_LOG_SCHEDULER_H_
#define JOBTAIL_SERVER_LOG_SCHEDULER_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/time.h"

namespace jobtail {

// Runs functions at given times, one after the other, on a thread of its own. For short work only:
// what blocks here delays everything that is due. A time stands for how far off it is at the call:
// whoever sets the system's clock changes nothing for what waits. Thread-safe.
class Scheduler {
 public:
  using Id = std::pair<absl::Time, int64_t>;  // the time is one of the steady clock

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

  // Of the standard library: absl's wait by the system's clock.
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  int64_t next_id_ = 0;
  absl::Duration offset_;  // of the steady clock from the system's
  std::map<Id, std::function<void()>> queue_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_SCHEDULER_H_
