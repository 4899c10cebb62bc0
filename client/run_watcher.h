// The watcher of a server's runs, which goes on after broken connections.
#ifndef JOBTAIL_CLIENT_RUN_WATCHER_H_
#define JOBTAIL_CLIENT_RUN_WATCHER_H_

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/resumable_stream.h"
#include "jobtail/v1/job_service.grpc.pb.h"

namespace jobtail::client {

// Where a watcher begins, and how it survives a broken connection.
struct RunWatcherOptions {
  // The id of a run: younger ones are told even if they have ended before the watching began, so
  // that none is missed between a list and the watcher. Empty: only what is yet to change.
  std::string after = {};
  ResumeOptions resume = {};
};

// Tells what becomes of a server's runs and survives broken connections: first each run that has
// not ended, then each that is new or has changed, as it is by then, and each that is deleted (it
// has a `delete_time`). A run may be told more often than it changes. What changed while the
// connection was down is told after it, but for the deletion of runs that had ended before; a run
// that is gone by then is told as it was, with the time of day on this side as its `delete_time`.
//
// Next() is for one thread; Cancel() for any. Errors are those of the server (NOT_FOUND for a job
// that it does not have), what may pass (see ResumableStream) when nothing new was heard for
// `retry_for`, DATA_LOSS for a list that has no end, and CANCELLED after Cancel(). An error stays:
// Next() repeats it.
class RunWatcher : private ResumableStream::Calls {
 public:
  RunWatcher(const std::shared_ptr<grpc::Channel>& channel, v1::WatchRunsRequest request,
             RunWatcherOptions options);
  ~RunWatcher() override;

  RunWatcher(const RunWatcher&) = delete;
  RunWatcher& operator=(const RunWatcher&) = delete;

  // Waits for the next run.
  absl::StatusOr<v1::Run> Next();

  // Makes Next() return CANCELLED, now if it is waiting.
  void Cancel() { stream_.Cancel(); }

 private:
  absl::Status Start(grpc::ClientContext* context) override;
  bool Read() override;
  absl::Status Finish() override;

  absl::Status CatchUp();
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest& request);
  bool AddMissed(const std::string& oldest, v1::ListRunsResponse* page);
  void AddVanished();
  bool IsNews(const v1::Run& run) const;
  void Note(const v1::Run& run);

  const std::unique_ptr<v1::JobService::Stub> stub_;
  const v1::WatchRunsRequest request_;
  Clock* const clock_;

  // Of the thread that calls Next().
  std::unique_ptr<grpc::ClientReader<v1::Run>> call_;
  v1::Run run_;                            // what Read() has brought
  std::deque<v1::Run> missed_;             // to be told before the call's next
  std::map<std::string, v1::Run> active_;  // what was told as not ended; by id, without parameters
  std::string newest_;                     // the youngest run that was told

  ResumableStream stream_;  // Cancel() is for any thread
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_RUN_WATCHER_H_
