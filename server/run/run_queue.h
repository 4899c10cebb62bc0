// The queue of runs that wait for a place within the limits.
#ifndef JOBTAIL_SERVER_RUN_RUN_QUEUE_H_
#define JOBTAIL_SERVER_RUN_RUN_QUEUE_H_

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/run/job.h"

namespace jobtail {

class Run;

// Which runs may be at work, which wait, and which are refused: by the limits of the server and of
// each job. Runs wait in order; one whose job is at its limit does not hold up those of others.
// Thread-safe.
class RunQueue {
 public:
  // Of all jobs together.
  explicit RunQueue(const RunLimits& limits) : limits_(limits) {}

  enum class Place { kAtWork, kQueued };

  // Takes a place for a run that is about to be created. RESOURCE_EXHAUSTED, with the counts and
  // the limits, if there is none. To be followed by Add or, if nothing came of it, Leave.
  absl::StatusOr<Place> Enter(const Job& job);
  // A run for which a place in the queue was taken. `held` is let go when it has left the queue.
  void Add(std::shared_ptr<Run> run, std::shared_ptr<const Job> job,
           std::shared_ptr<void> held = nullptr);
  // Gives back a place: that of a run at work has ended, or one of any kind was not used.
  void Leave(const std::string& job, Place place);

  // Takes a run out that waits. False if it does not, or no longer.
  bool Remove(const Run* run);
  // The next run that has got a place at work, and is to be started; null if there is none.
  std::shared_ptr<Run> TakeReady();

 private:
  struct Count {
    int64_t running = 0;
    int64_t queued = 0;
  };
  struct Entry {
    std::shared_ptr<Run> run;
    std::shared_ptr<const Job> job;
    std::shared_ptr<void> held;
  };
  using Entries = std::list<Entry>;

  bool HasRoomLocked(const Job& job) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RefusalLocked(const Job& job) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Count CountOfLocked(const std::string& job) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountLocked(const std::string& job, Place place, int by)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PromoteLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const RunLimits limits_;

  absl::Mutex mutex_;
  Count total_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Count> counts_ ABSL_GUARDED_BY(mutex_);  // by job
  Entries queue_ ABSL_GUARDED_BY(mutex_);
  Entries ready_ ABSL_GUARDED_BY(mutex_);  // counted as at work
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_RUN_QUEUE_H_
