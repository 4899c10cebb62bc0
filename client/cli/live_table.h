// The table of `runs --watch`, redrawn in place while runs change.
#ifndef JOBTAIL_CLIENT_CLI_LIVE_TABLE_H_
#define JOBTAIL_CLIENT_CLI_LIVE_TABLE_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/cli/flag.h"
#include "client/cli/options.h"
#include "client/client.h"

namespace jobtail::client::cli {

// A table of runs on the terminal that is stdout, drawn anew when a run changes, when the terminal
// does, and every second. It has the terminal's second screen to itself, and leaves its last state
// on the first.
class LiveTable {
 public:
  // `runs` are those at the beginning. The watcher, which tells what becomes of them, and the
  // client, of which progress is asked (no change for a watcher), must outlive this.
  LiveTable(CommonOptions common, RunsOptions options, const std::vector<v1::Run>& runs,
            const Client* client, RunWatcher* watcher);

  // Returns after Leave(), or when the watcher fails: with its error, for people.
  absl::StatusOr<int> Show();

  // Ends Show(), with the exit code of a process that this signal has ended. Any thread.
  void Leave(int signal);

 private:
  void ReadChanges() ABSL_LOCKS_EXCLUDED(mutex_);
  void AskForProgress() ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteLocked(const v1::Run& run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<v1::Run> RunsLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string FrameLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Draw() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status DrawUntilLeft() ABSL_LOCKS_EXCLUDED(mutex_);

  const CommonOptions common_;
  const RunsOptions options_;
  const Client* const client_;
  RunWatcher* const watcher_;
  const bool color_;

  Flag ended_;    // Show() is about to return
  Flag changed_;  // there is something new to draw

  absl::Mutex mutex_;
  std::map<std::string, v1::Run, std::greater<>> runs_ ABSL_GUARDED_BY(mutex_);  // by id
  int signal_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_LIVE_TABLE_H_
