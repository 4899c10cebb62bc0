// A queue of functions, each to be called after a delay, and the threads that call them.
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
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"

namespace jobtail {

// Runs functions after given delays, one after the other, on a thread of its own; or on several,
// beside one another.
//
// Hazard: what blocks in as many functions as there are threads delays all others that are due.
// What a function schedules itself may begin only after it: it must not wait for it.
//
// Delays go by the steady clock: setting the time of day changes nothing. Thread-safe, but for Stop
// and the destructor, which are the owner's.
class Scheduler {
 public:
  // When a function is due by the steady clock, and a number.
  using Id = std::pair<absl::Duration, int64_t>;

  // `name` is the threads', at most 15 characters. `clock` outlives the scheduler. Each thread
  // calls `begin` first, if there is one.
  explicit Scheduler(const std::string& name, Clock* clock = Clock::System(), int threads = 1,
                     const std::function<void()>& begin = nullptr);
  // Drops what has not run yet.
  ~Scheduler();

  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Waits for what is running, and drops what has not begun, as well as what is scheduled from now
  // on. For an owner whose functions use this object until then. Idempotent.
  void Stop();

  // Runs `function` once `delay` has passed. Functions of one delay are begun in the order in which
  // they were added.
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
  bool stopping_ = false;
  int64_t next_id_ = 0;
  std::map<Id, std::function<void()>> queue_;
  // One of the threads that have nothing to do, if there are any, waits for the first function to
  // be due; the others wait until they are needed.
  bool is_watched_ = false;
  std::condition_variable first_changed_;  // for the thread that watches
  std::condition_variable needed_;         // for the others
  std::vector<std::thread> threads_;       // last: they use the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_SCHEDULER_H_
