// Runs that were refused once the store had, or may have, taken note of them.
#ifndef JOBTAIL_SERVER_RUN_REFUSED_RUNS_H_
#define JOBTAIL_SERVER_RUN_REFUSED_RUNS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/scheduler.h"
#include "server/log/log_store.h"

namespace jobtail {

// Sees to it that such a run has never been: not even after a restart, when it would come back as
// one that was lost. What the store does not delete is tried again every second, for as long as
// there are retries. Thread-safe; both functions' work may block in the store.
class RefusedRuns {
 public:
  // Beyond so many at once, what a sick store cannot delete is let go.
  static constexpr size_t kMost = 10'000;

  // `store` outlives this, and this outlives what `retries` runs.
  RefusedRuns(LogStore* store, Scheduler* retries) : store_(store), retries_(retries) {}

  // Deletes the run now, if that works.
  void Delete(const std::string& run);
  // Deletes it a second later: the store has just refused something of it.
  void DeleteLater(const std::string& run);

 private:
  void TryAgain();
  void ScheduleLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  LogStore* const store_;
  Scheduler* const retries_;
  absl::Mutex mutex_;
  std::vector<std::string> left_ ABSL_GUARDED_BY(mutex_);
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_REFUSED_RUNS_H_
