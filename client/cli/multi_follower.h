// The following of several runs at once, a thread for each.
#ifndef JOBTAIL_CLIENT_CLI_MULTI_FOLLOWER_H_
#define JOBTAIL_CLIENT_CLI_MULTI_FOLLOWER_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/cli/fd_writer.h"
#include "client/cli/line_printer.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/ticker.h"
#include "client/client.h"

namespace jobtail::client::cli {

// Follows the logs of several runs at once and prints their lines, each with its run before it. A
// thread for each run reads its log; all print under one lock, so that a reader of ours who is slow
// makes all of them wait.
//
// Add(), Wait() and FollowJob() are for one thread. To be left at once on a signal: the process has
// nothing to tidy up.
class MultiFollower {
 public:
  // The client must outlive this.
  MultiFollower(CommonOptions common, const FollowOptions& options, const Client* client);
  ~MultiFollower();

  MultiFollower(const MultiFollower&) = delete;
  MultiFollower& operator=(const MultiFollower&) = delete;

  // Begins to follow a run. Does nothing for one that is known already.
  void Add(const v1::Run& run, v1::TailLogRequest request);

  // Waits until all have ended. The largest of the exit codes of the runs, 125 for one whose log
  // could not be read to its end; or the error of writing.
  absl::StatusOr<int> Wait();

  // Adds the runs of a job as they come, with the filters of `tail` and from their first line
  // on, until it fails: an error for people. `after` is the youngest run that is known.
  absl::StatusOr<int> FollowJob(const std::string& job, const std::string& after,
                                v1::TailLogRequest tail);

 private:
  struct Followed {
    std::string id;
    std::unique_ptr<LogReader> reader;
    std::unique_ptr<LinePrinter> printer;
    std::thread thread;
    bool done = false;
  };

  std::unique_ptr<LinePrinter> MakePrinter(const v1::Run& run)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Tick() ABSL_LOCKS_EXCLUDED(mutex_);
  void Read(Followed* followed) ABSL_LOCKS_EXCLUDED(mutex_);
  void PrintEndLocked(const Followed& followed, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StopLocked(const absl::Status& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  ResumeOptions ResumeOptionsFor(const std::string& reader);
  void NoteLost(const std::string& reader, const absl::Status& reason) ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteFound(const std::string& reader) ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteEndedLocked(const std::string& reader) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Reap() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<int> ExitCodeOrError() ABSL_LOCKS_EXCLUDED(mutex_);

  const CommonOptions common_;
  const FollowOptions options_;
  const Client* const client_;
  const bool color_;
  size_t count_ = 0;

  absl::Mutex mutex_;
  FdWriter out_ ABSL_GUARDED_BY(mutex_);
  FdWriter err_ ABSL_GUARDED_BY(mutex_);
  Output output_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<Followed>> runs_ ABSL_GUARDED_BY(mutex_);  // null: ended
  std::unique_ptr<RunWatcher> watcher_ ABSL_GUARDED_BY(mutex_);
  // The runs whose readers are at work, and of those the ones without connection. "" stands for the
  // watcher.
  std::set<std::string> reading_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> disconnected_ ABSL_GUARDED_BY(mutex_);
  int code_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  std::optional<Ticker> ticker_;  // last: its thread uses the rest
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_MULTI_FOLLOWER_H_
