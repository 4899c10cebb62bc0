#ifndef JOBTAIL_CLIENT_RUN_WATCHER_H_
#define JOBTAIL_CLIENT_RUN_WATCHER_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/backoff.h"
#include "jobtail/v1/job_service.grpc.pb.h"

namespace jobtail::client {

struct RunWatcherOptions {
  // The id of a run: younger ones are told even if they have ended before the watching began, so
  // that none is missed between a list and the watcher. Empty: only what is yet to change.
  std::string after = {};
  // How long to go on trying when the server is not reached. Zero: not at all.
  absl::Duration retry_for = absl::Minutes(5);
  // The waits between attempts.
  BackoffOptions backoff = {};
  // Called by Next(), in its thread: when the connection is lost, once for each outage, and when
  // the server has answered again.
  std::function<void(const absl::Status& reason)> on_connection_lost = {};
  std::function<void()> on_connected_again = {};
};

// Tells what becomes of a server's runs and survives broken connections: first each run that has
// not ended, then each that is new or has changed, as it is by then, and each that is deleted (it
// has a `delete_time`). A run may be told more often than it changes. What changed while the
// connection was down is told after it, but for the deletion of runs that had ended before.
//
// Next() is for one thread; Cancel() for any. Errors are those of the server (NOT_FOUND for a job
// that it does not have), UNAVAILABLE when it was not reached for `retry_for`, and CANCELLED after
// Cancel(). An error stays: Next() repeats it.
class RunWatcher {
 public:
  RunWatcher(const std::shared_ptr<grpc::Channel>& channel, v1::WatchRunsRequest request,
             RunWatcherOptions options);
  ~RunWatcher();

  RunWatcher(const RunWatcher&) = delete;
  RunWatcher& operator=(const RunWatcher&) = delete;

  // Waits for the next run.
  absl::StatusOr<v1::Run> Next();

  // Makes Next() return CANCELLED, now if it is waiting.
  void Cancel();

 private:
  bool Open();
  absl::Status CatchUp();
  absl::Status CatchUpFrom(const std::string& oldest);
  void Note(const v1::Run& run);
  absl::Status AbandonStream();
  absl::Status EndStream();
  absl::Status WaitToRetry(const absl::Status& reason);

  const std::unique_ptr<v1::JobService::Stub> stub_;
  const v1::WatchRunsRequest request_;
  const RunWatcherOptions options_;

  // Of the thread that calls Next().
  Backoff backoff_;
  std::unique_ptr<grpc::ClientReader<v1::Run>> stream_;
  std::deque<v1::Run> missed_;    // to be told before the stream's next
  std::set<std::string> active_;  // the runs that were told as not ended
  std::string newest_;            // the youngest run that was told
  bool outage_reported_ = false;
  std::optional<absl::Time> silent_since_;
  std::optional<absl::Status> final_state_;

  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);       // of stream_
  std::unique_ptr<grpc::ClientContext> list_context_ ABSL_GUARDED_BY(mutex_);  // of CatchUp()
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_RUN_WATCHER_H_
