#ifndef JOBTAIL_BASE_SCHEDULER_H_
#define JOBTAIL_BASE_SCHEDULER_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "base/clock.h"

namespace jobtail {

// Runs functions after given delays, one after the other, on a thread of its own.
//
// Hazard: what blocks in one function delays all others that are due.
//
// Delays go by the steady clock: setting the time of day changes nothing. Thread-safe, but for Stop
// and the destructor, which are the owner's.
class Scheduler {
 public:
  // When a function is due by the steady clock, and a number.
  using Id = std::pair<absl::Duration, int64_t>;

  // `name` is the thread's, at most 15 characters. `clock` outlives the scheduler.
  explicit Scheduler(const std::string& name, Clock* clock = Clock::System());
  // Drops what has not run yet.
  ~Scheduler();

  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Waits for the function that is running, and runs no more; what is scheduled from now on is
  // dropped. For an owner whose functions use this object until then. Idempotent.
  void Stop();

  // Runs `function` once `delay` has passed. Functions of one delay run in the order in which they
  // were added.
  Id After(absl::Duration delay, std::function<void()> function);
  // The same without a delay, before everything that has one.
  Id Soon(std::function<void()> function) {
    return After(-absl::InfiniteDuration(), std::move(function));
  }

  // Drops the function if it has not begun. Does not wait for one that has.
  void Cancel(Id id);

  Clock* clock() const { return clock_; }

 private:
  void Run();

  Clock* const clock_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  int64_t next_id_ = 0;
  std::map<Id, std::function<void()>> queue_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_SCHEDULER_H_
