// The deletion of old runs and of the beginnings of long logs.
#ifndef JOBTAIL_SERVER_RUN_RETENTION_H_
#define JOBTAIL_SERVER_RUN_RETENTION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/log/log_store.h"
#include "server/run/job_options.h"
#include "server/run/run_table.h"

namespace jobtail {

// What is kept of runs and logs. 0 means without limit, for each of them. A run that has not ended
// is never deleted; of a log that is too large the beginning goes, whether the run has ended or
// not.
struct RetentionOptions {
  absl::Duration max_age = absl::ZeroDuration();  // since the run's end
  int64_t max_total_bytes = 0;                  // of all logs; bytes of records as they are encoded
  int64_t max_run_bytes = 0;                    // of one log
  int64_t max_runs = 0;                         // those that have not ended counted
  absl::Duration interval = absl::Seconds(10);  // how often it is looked after
};

// Deletes what is not to be kept any more, the oldest first. Thread-safe; Apply blocks in the
// store.
//
// Setting the clock deletes nothing. How old a run is goes by the steady clock, from its end on; of
// one that an earlier process has brought to its end, the time of day says once, when it is taken
// over, how long ago that was. One that seems to have ended in the future counts as ended at that
// moment. Which of several runs are the oldest, their ids say, in the order of their creation.
class Retention {
 public:
  // The run is one that has ended.
  using DeleteRun = std::function<absl::Status(const std::string& run)>;

  // What a job has of its own; nothing for one that is not known any more.
  using OfJob = std::function<JobRetention(const std::string& job)>;

  // Table and store outlive this.
  Retention(const RetentionOptions& options, RunTable* runs, LogStore* store, OfJob of_job,
            DeleteRun delete_run);

  // Whether there is any limit beside those of jobs.
  bool HasLimits() const;

  // Deletes what is not to be kept at this moment.
  void Apply();

 private:
  using Runs = std::vector<std::shared_ptr<Run>>;

  void TrimLocked(Run& run, int64_t max_bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t BytesOfLocked(const Run& run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool DeleteLocked(const Run& run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const RetentionOptions options_;
  RunTable* const runs_;
  LogStore* const store_;
  const OfJob of_job_;
  const DeleteRun delete_run_;

  absl::Mutex mutex_;
  // How large the logs of ended runs are: they do not change by themselves.
  absl::flat_hash_map<std::string, int64_t> bytes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_RETENTION_H_
