// The core that both doors call: jobs, runs and their logs.
#ifndef JOBTAIL_SERVER_RUN_ENGINE_H_
#define JOBTAIL_SERVER_RUN_ENGINE_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "base/scheduler.h"
#include "jobtail/v1/job_service.pb.h"
#include "server/access/access_control.h"
#include "server/access/principal.h"
#include "server/access/quotas.h"
#include "server/access/verb.h"
#include "server/log/cursor.h"
#include "server/log/log.h"
#include "server/log/log_store.h"
#include "server/run/engine_options.h"
#include "server/run/job_registry.h"
#include "server/run/refused_runs.h"
#include "server/run/request_ids.h"
#include "server/run/retention.h"
#include "server/run/run.h"
#include "server/run/run_id.h"
#include "server/run/run_queue.h"
#include "server/run/run_table.h"
#include "server/run/view.h"

namespace jobtail {

// The calls of JobService, whichever door they come through. Everything is validated and limited
// here, once; errors are those that job_service.proto names, and say what is wrong with which value
// and what would be right. Thread-safe.
//
// So is what the caller may see and do: what it may not see is NOT_FOUND, what it sees and may not
// do PERMISSION_DENIED; UNAUTHENTICATED if what has proved who calls is worth nothing any more.
// Without a caller it is the program itself, who may do everything: a door names its caller in each
// call. Cursors and watches tell by MayRead whether their reader may read on.
//
// Nothing here waits for a job, but Stop. What may wait for the store, and must not be called where
// others would wait with it (a gRPC reaction, an event loop): Recover, CreateRun, RunJob, GetRun
// (for an ended run whose parameters are large), DeleteRun, TailLog, ApplyRetention, CheckHealth;
// what writes an audit record waits for that file: these, CancelRun, and every call that is not
// allowed. The others never do, nor for a call that does: a store that hangs keeps nobody from
// seeing, watching and cancelling runs.
class Engine {
 public:
  // The store outlives the engine.
  explicit Engine(LogStore* store, EngineOptions options = {});
  // No run may be active and no cursor or watch in use.
  ~Engine();

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Takes over the runs that the store has. Those that were at work end as LOST, with a record of
  // that. To be called once, before any other call but AddJob.
  absl::Status Recover();

  // INVALID_ARGUMENT for a declaration that makes no sense, ALREADY_EXISTS for a name that is
  // taken.
  absl::Status AddJob(Job job);
  absl::StatusOr<std::shared_ptr<const Job>> FindJob(const std::string& name) const {
    return jobs_.Find(name);
  }
  // Takes out the jobs of these names and adds the others, at once or, with AddJob's errors, not at
  // all. Runs keep the job they were created with.
  absl::Status ReplaceJobs(const std::vector<std::string>& names, std::vector<Job> jobs);

  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request,
                                                const access::Caller& caller = {}) const;
  absl::StatusOr<v1::Job> GetJob(const v1::GetJobRequest& request,
                                 const access::Caller& caller = {}) const;
  // A request with the request id of one that is still at the store waits for its outcome, then
  // UNAVAILABLE: see RequestIds. A refusal leaves no run behind, and the request id free.
  absl::StatusOr<v1::Run> CreateRun(const v1::CreateRunRequest& request,
                                    const access::Caller& caller = {});
  absl::StatusOr<v1::Run> GetRun(const v1::GetRunRequest& request,
                                 const access::Caller& caller = {}) const;
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest& request,
                                                const access::Caller& caller = {}) const;
  // Cancels a run that was to be cancelled when its client goes (ON_DISCONNECT_CANCEL), in the name
  // of who has started it: the right to do so counted as of then.
  void CancelAbandoned(const std::string& run, const access::Caller& caller);
  absl::StatusOr<v1::Run> CancelRun(const v1::CancelRunRequest& request,
                                    const access::Caller& caller = {});
  absl::Status DeleteRun(const v1::DeleteRunRequest& request, const access::Caller& caller = {});
  absl::StatusOr<std::unique_ptr<Cursor>> TailLog(const v1::TailLogRequest& request,
                                                  const access::Caller& caller = {}) const;
  absl::StatusOr<std::unique_ptr<RunWatch>> WatchRuns(const v1::WatchRunsRequest& request,
                                                      const access::Caller& caller = {});
  absl::StatusOr<v1::WhoAmIResponse> WhoAmI(const v1::WhoAmIRequest& request,
                                            const access::Caller& caller = {}) const;

  // Starts a run, or finds that of the same request id. Its log is to be read with TailLog.
  struct Started {
    std::string run;
    std::unique_ptr<Cursor> cursor;
  };
  absl::StatusOr<Started> RunJob(const v1::RunJobRequest& request,
                                 const access::Caller& caller = {});

  // Deletes what is not to be kept any more: what is done every so often anyway.
  void ApplyRetention() { retention_.Apply(); }

  // How many runs are kept of each job in each state.
  using RunCounts = std::map<std::pair<std::string, v1::RunState>, int64_t>;
  RunCounts CountRuns() const { return runs_.Count(); }
  // Of the jobs whose figures the caller may see; an error if it may see none at all.
  absl::StatusOr<RunCounts> CountRuns(const access::Caller& caller) const;

  // Null where nobody is asked.
  access::AccessControl* access() const { return options_.access; }

  // How many runs were refused since the server's start, though nothing was wrong with the request:
  // limits, a full or failing store, a server that shuts down.
  int64_t refused_runs() const { return refused_runs_; }

  // What everything here goes by, for what is built around it.
  Clock* clock() const { return options_.clock; }

  // OK if the store would take a new run at this moment, or why not.
  absl::Status CheckHealth() const { return store_->CheckHealth(); }

  // The runs that have not ended.
  std::vector<std::shared_ptr<Run>> ActiveRuns() const { return runs_.Active(); }

  // Refuses new runs from now on (UNAVAILABLE), also those that the store is about to take, asks
  // those at work to stop, and waits for them for `grace` at most, by the steady clock. Does not
  // wait for the store before they are asked. Returns how many are still at work.
  size_t Stop(absl::Duration grace);

 private:
  // Who asks for a run, what it may do, and whether the run's log is opened for it, too.
  struct Creator {
    const access::Caller& caller;
    const View& view;
    bool opens_log = false;
  };

  void CloseLost(storage::v1::StoredRun* run, absl::Duration deadline);
  void Restore(storage::v1::StoredRun run);

  // Returns a run, or that which the same request has created before.
  absl::StatusOr<std::shared_ptr<Run>> Create(const v1::CreateRunRequest& request,
                                              const Creator& creator);
  absl::StatusOr<std::shared_ptr<Run>> FindOrCreate(const v1::CreateRunRequest& request,
                                                    const Creator& creator);
  absl::StatusOr<std::shared_ptr<Run>> CreateNew(const std::string& id,
                                                 const v1::CreateRunRequest& request,
                                                 const Creator& creator);
  absl::Status CheckRunJob(const v1::RunJobRequest& request, const Creator& creator) const;

  // What a caller sees, may do, and does (engine_access.cc).
  absl::StatusOr<View> ViewOf(const access::Caller& caller) const;
  absl::StatusOr<std::shared_ptr<const Job>> FindJobFor(const Creator& creator, access::Verb verb,
                                                        const std::string& name) const;
  absl::StatusOr<std::shared_ptr<Run>> FindRunFor(const Creator& creator, access::Verb verb,
                                                  const std::string& id) const;
  absl::StatusOr<std::function<absl::Status()>> GuardFor(const Creator& creator, access::Verb verb,
                                                         const std::string& job,
                                                         const std::string& created_by) const;
  absl::StatusOr<std::shared_ptr<void>> TakePlace(const Creator& creator, access::Quotas::Kind kind,
                                                  const std::string& job) const;
  absl::Status Allow(const access::Caller& caller, access::Verb verb, const std::string& job,
                     const std::string& run, const std::string& request_id = "") const;
  absl::Status Deny(const access::Caller& caller, access::Verb verb, const std::string& job,
                    const std::string& run) const;
  void Fail(const access::Caller& caller, access::Verb verb, const std::string& job,
            const std::string& run, const absl::Status& why) const;
  void NoteDeleted(absl::Span<const std::shared_ptr<Run>> runs) const;

  absl::Status CheckNotStopping() const;
  absl::Status DeleteEnded(absl::Span<const std::shared_ptr<Run>> runs);
  void Forget(absl::Span<const std::shared_ptr<Run>> runs);
  absl::Status AddRun(const std::shared_ptr<Run>& run, const std::shared_ptr<const Job>& job,
                      RunQueue::Place place, std::shared_ptr<void> own_wait);
  absl::Status Show(const std::shared_ptr<Run>& run);
  void RequestStop(const std::shared_ptr<Run>& run, StopReason reason);
  void EndIfQueued(const std::shared_ptr<Run>& run);
  void EndUnstarted(const std::shared_ptr<Run>& run, const absl::Status& error = absl::OkStatus());
  void StartReady();
  void EnsureRetention();
  void ScheduleRetention();
  absl::Status CheckLimits(const v1::CreateRunRequest& request) const;

  const EngineOptions options_;
  LogStore* const store_;
  JobRegistry jobs_;
  BatchCache cache_;
  UnsavedBytes unsaved_;
  Scheduler committer_;
  Scheduler small_committer_;
  Scheduler waker_;
  Scheduler timers_;
  RunQueue queue_;
  RunTable runs_;
  const Run::Services run_services_;
  RunIds ids_;

  RequestIds request_ids_;

  // No run is added to the table once this is true. Never held over the store.
  mutable absl::Mutex stop_mutex_;
  bool stopping_ ABSL_GUARDED_BY(stop_mutex_) = false;

  std::atomic<int64_t> refused_runs_ = 0;
  std::atomic<bool> retention_scheduled_ = false;
  Retention retention_;
  RefusedRuns discarded_;
  Scheduler starter_;  // starts runs that have waited
  Scheduler keeper_;   // last: these two threads use the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_ENGINE_H_
