// The deletion of old runs and of the beginnings of long logs.
#ifndef JOBTAIL_SERVER_RUN_RETENTION_H_
#define JOBTAIL_SERVER_RUN_RETENTION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "server/log/log_store.h"
#include "server/run/job_options.h"
#include "server/run/retention_options.h"
#include "server/run/run_table.h"

namespace jobtail {

// Deletes what is not to be kept any more, the oldest first, some hundred runs at a time.
// Thread-safe; Apply blocks in the store, and holds no lock meanwhile that anybody else takes.
// Where only age and number are limited, it looks at no run that stays; of sizes, it asks the store
// once for each run that has ended.
//
// Setting the clock deletes nothing. How old a run is goes by the steady clock, from its end on; of
// one that an earlier process has brought to its end, the time of day says when it is taken over
// how long ago that was. One that seems to have ended in the future counts as ended at that moment.
// A machine may start with a clock that is ahead, and is set right once there is a network: so runs
// of earlier processes are not deleted for their age before settling is over, and if the clock has
// been set back by then, they are younger by as much. Which of several runs are the oldest, their
// ids say, in the order of their creation.
class Retention {
 public:
  // The runs have ended. On error, those that are still in the table are not deleted.
  using DeleteRuns = std::function<absl::Status(absl::Span<const std::shared_ptr<Run>> runs)>;

  // So many runs are deleted at a time.
  static constexpr size_t kBatch = 128;

  // What a job has of its own; nothing for one that is not known any more.
  using OfJob = std::function<JobRetention(const std::string& job)>;

  // Table, store and clock outlive this.
  Retention(const RetentionOptions& options, RunTable* runs, LogStore* store, Clock* clock,
            OfJob of_job, DeleteRuns delete_runs);

  // Whether there is any limit beside those of jobs.
  bool HasLimits() const;

  // Deletes what is not to be kept at this moment.
  void Apply();

 private:
  using Runs = std::vector<std::shared_ptr<Run>>;

  // What there is of one job, and what is to be kept of it.
  struct OfOneJob {
    JobRetention keep;
    int64_t count = 0;
  };
  using Jobs = std::map<std::string, OfOneJob>;

  Jobs LookAtJobs() const;
  std::optional<absl::Duration> SetBack() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t TrimAll(const Jobs& jobs);
  void DeleteOld(const std::string& job, absl::Duration max_age,
                 std::optional<absl::Duration> set_back);
  void DeleteOldest(const std::string& job, const std::function<bool(Run& run)>& is_too_much);
  void Trim(Run& run, int64_t max_bytes);
  int64_t BytesOf(Run& run);
  size_t Delete(const Runs& runs);

  const RetentionOptions options_;
  RunTable* const runs_;
  LogStore* const store_;
  Clock* const clock_;
  const OfJob of_job_;
  const DeleteRuns delete_runs_;

  const absl::Duration began_;  // by the steady clock
  const absl::Time began_at_;   // by the other

  absl::Mutex mutex_;                                               // one Apply at a time
  std::optional<absl::Duration> set_back_ ABSL_GUARDED_BY(mutex_);  // nullopt: not settled yet
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_RETENTION_H_
