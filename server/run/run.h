// One execution of a job: its state, its times, its log.
#ifndef JOBTAIL_SERVER_RUN_RUN_H_
#define JOBTAIL_SERVER_RUN_RUN_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/scheduler.h"
#include "jobtail/storage/v1/stored_run.pb.h"
#include "jobtail/v1/job_service.pb.h"
#include "jobtail/v1/run.pb.h"
#include "server/log/log.h"
#include "server/log/log_store.h"
#include "server/run/executor.h"
#include "server/run/job.h"
#include "server/run/masker.h"
#include "server/run/run_output.h"

namespace jobtail {

// Why a run is asked to stop.
enum class StopReason { kCancel, kTimeout, kShutdown };

// Parameters with kMask in place of each secret.
google::protobuf::Map<std::string, std::string> WithoutSecrets(
    const Job& job, google::protobuf::Map<std::string, std::string> parameters);

// One execution of a job: its state and its log. Held by shared_ptr: by the table of runs and by
// what executes it. Thread-safe.
//
// Hazard: Started, Ended, EndUnstarted and DeleteStored wait for the store, the end for as long as
// that refuses; OpenLog waits for it where the run has ended and nobody reads its log. RequestStop,
// ReportProgress, MarkLogDeleted and what only tells the state do not, nor for anybody who does.
//
// Once it has ended, it is small: it keeps no log in memory, but each time a reader comes, and
// there is none, the log is opened in the store; nothing that it was executed with; and of its
// parameters what CutParameters leaves.
class Run final : public Execution, public std::enable_shared_from_this<Run> {
 public:
  // What runs share. All outlive them.
  struct Services {
    LogServices log;
    Scheduler* timers;                                    // their clock is that of the runs
    std::function<void(const std::string& run)> changed;  // called after each change of state
    // Called with each new state, and the time by the steady clock, before anybody can see it, and
    // under a lock of the run: must call nothing of the run.
    std::function<void(const std::string& run, v1::RunState state, absl::Duration now)> moved;
    // Called when a run that was started has ended, before anybody can see that. Must not block.
    std::function<void(const std::string& job)> ended;
    // Called when what executes it needs none any more.
    std::function<void(const std::string& run)> done;
  };

  // A new run, with the request that asked for it, and the name of whose it is. The store must know
  // it (Stored) before it starts. `services` must outlive it.
  Run(std::string id, std::shared_ptr<const Job> job, ParameterValues parameters,
      const v1::CreateRunRequest& request, const LogOptions& log, const Services* services,
      std::string created_by = "");

  // A run that has ended, as the store knows it.
  Run(storage::v1::StoredRun stored, const Services* services);

  // Has the job executed. To be called once. RESOURCE_EXHAUSTED if the system has no thread or
  // process to give.
  absl::Status Start();

  // Ends a run that was not started, nor will be: because it was asked to stop, or of an error.
  // Blocks until the store has it.
  void EndUnstarted(const absl::Status& error = absl::OkStatus());

  // Asks the job to stop. The first reason counts. No effect once the run has ended.
  void RequestStop(StopReason reason);

  // Deletes the run, which has ended, and its log from the store.
  absl::Status DeleteStored();
  // Ends its log's readers with NOT_FOUND, those that are just coming, too.
  void MarkLogDeleted();

  // The log, for a reader or for retention. NOT_FOUND once it is deleted.
  absl::StatusOr<std::shared_ptr<Log>> OpenLog();

  // As it is now; once it has ended, with parameters cut short.
  v1::Run Get() const;
  // What the store is to keep of a run that has not ended.
  storage::v1::StoredRun Stored() const;
  v1::RunState state() const;

  // How long ago the run ended, zero if it has not: by the steady clock, which setting the time of
  // day does not change. For a run that an earlier process ended, the time of day says once how old
  // it was when it was taken over; not less than zero.
  absl::Duration SinceEnd() const;
  // When it ended, by the steady clock; InfiniteDuration if it has not.
  absl::Duration ended() const;

  // Whether it has ended, nobody executes it, and the store has all that is to be stored of it.
  bool IsDone() const { return done_; }

  // How large the log of the run, which has ended, was found to be, for retention; -1 if nobody has
  // looked.
  int64_t log_bytes() const { return log_bytes_; }
  void set_log_bytes(int64_t bytes) { log_bytes_ = bytes; }

  const std::string& id() const override { return id_; }
  const std::string& job() const override { return job_name_; }
  const std::string& request_id() const { return request_id_; }  // empty if there was none
  const std::string& created_by() const { return created_by_; }  // empty if nobody was asked

  // Has `place` kept until the run has ended. Before it starts.
  void Keep(std::shared_ptr<void> place) { execution_->place = std::move(place); }
  bool IsAskedToStop() const;

  // For what executes the run. Once it has ended, there are no parameters any more.
  const ParameterValues& parameters() const override;
  std::stop_token stop_token() const override;
  Clock* clock() const override { return services_->timers->clock(); }
  Scheduler* timers() const override { return services_->timers; }
  capture::Sink& output() override { return execution_->output->sink(); }
  void Started() override;
  void ReportProgress(double fraction, std::string_view text) override;
  void Ended(const JobResult& job_result) override;

 private:
  // What it takes to execute a run, used by what does that, one thread at a time.
  struct ExecutionState {
    ParameterValues parameters;  // with the secrets
    Masker masker;
    google::protobuf::Map<std::string, std::string> request_parameters;  // to be stored
    std::optional<RunOutput> output;
    std::optional<Scheduler::Id> timer;
    std::shared_ptr<void> place;  // among those that its owner may have at a time
  };

  void SetRunning();
  void End(const JobResult& job_result, bool started);
  void StoreResult(const JobResult& job_result, bool started);
  google::protobuf::Timestamp NowLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  v1::RunResult MakeResult(const JobResult& job_result,
                           const OverwriteSink::Dropped& overwritten) const;
  std::string ToText(std::string_view text, size_t max_bytes) const;
  void TellReaders();
  void Store();
  std::shared_ptr<Log> FindLog() const;
  void Release();
  void ReleaseLog();
  void KeepEndedLocked(v1::Run run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string id_;
  const std::string job_name_;
  const std::shared_ptr<const Job> job_;  // null if the run had ended before the server started
  const std::string request_id_;
  const std::string created_by_;
  const Services* const services_;
  std::unique_ptr<ExecutionState> execution_;  // null once the run has ended
  std::atomic<bool> done_ = false;
  std::atomic<int64_t> log_bytes_ = -1;

  absl::Mutex telling_mutex_;  // readers are told the present state in order; the log's comes after
  absl::Mutex store_mutex_;    // what is deleted is not stored again
  bool deleted_ ABSL_GUARDED_BY(store_mutex_) = false;
  // One at a time opens the log. Taken before log_mutex_, and held while the store is asked.
  absl::Mutex open_mutex_;
  mutable absl::Mutex log_mutex_;                                // never held over the store
  std::shared_ptr<Log> active_log_ ABSL_GUARDED_BY(log_mutex_);  // null once the run has ended
  std::weak_ptr<Log> log_ ABSL_GUARDED_BY(log_mutex_);           // lives as long as it has readers
  bool log_deleted_ ABSL_GUARDED_BY(log_mutex_) = false;

  mutable absl::Mutex mutex_;  // may be taken under the log's lock, never the other way round
  std::unique_ptr<v1::Run> proto_ ABSL_GUARDED_BY(mutex_);  // null once it has ended; then, of it:
  std::string encoded_ ABSL_GUARDED_BY(mutex_);             // a v1::Run without id, job and creator
  v1::RunState state_ ABSL_GUARDED_BY(mutex_) = v1::RUN_STATE_PENDING;
  std::stop_source stop_ ABSL_GUARDED_BY(mutex_);  // without a state once it has ended
  std::optional<StopReason> stop_reason_ ABSL_GUARDED_BY(mutex_);
  // By the steady clock; InfiniteDuration until then.
  absl::Duration started_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
  absl::Duration ended_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_RUN_H_
