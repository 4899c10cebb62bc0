// The following of one run, from its first line to the exit code.
#ifndef JOBTAIL_CLIENT_CLI_FOLLOWER_H_
#define JOBTAIL_CLIENT_CLI_FOLLOWER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/cli/fd_writer.h"
#include "client/cli/interrupts.h"
#include "client/cli/line_printer.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/client.h"

namespace jobtail::client::cli {

// What Ctrl-C and SIGTERM do while a run is followed. The second ends the process in any case.
enum class OnInterrupt {
  kLeave,         // stop following
  kTellAndLeave,  // stop following, and tell that the run goes on and how to get back to it
  kCancelRun,     // cancel the run, and follow it to its end
};

// Follows the log of one run and prints it to stdout and stderr. Made and used once, by the
// printing thread; with `rendered`, another one prints what has been kept back for a while.
class Follower {
 public:
  // `interrupts` must outlive this.
  Follower(CommonOptions common, const FollowOptions& options, OnInterrupt on_interrupt,
           Interrupts* interrupts);

  // Tells something on stderr, unless the output is to be raw.
  void Notice(const std::string& text);

  // Returns when the run, or what `request` asks for, has ended: the exit code for the process, 0
  // if the run goes on, or an error for people.
  absl::StatusOr<int> Follow(const Client& client, const v1::TailLogRequest& request);

  // The same, for the log as a file: all goes to stdout, the outcome of the run is not told, and
  // the exit code is 0.
  absl::StatusOr<int> Export(const Client& client, const v1::TailLogRequest& request);

  // Asks the server to cancel the run that is followed, telling why on stderr; any thread.
  void CancelRun(const std::string& why);

  // The run's result, once Follow() has come across it.
  std::optional<v1::RunResult> result() const;

  bool is_terminal() const { return err_.is_terminal(); }

 private:
  ResumeOptions ReaderOptions();
  std::unique_ptr<LinePrinter> MakePrinter();
  std::unique_ptr<LinePrinter> MakeScreenPrinter();
  std::function<std::string(const v1::RunProgress&)> DrawProgress() const;
  bool ShowsProgress() const;
  void OnSignal(int signal);
  absl::StatusOr<int> PrintAll();
  absl::StatusOr<LogLines> Next();
  absl::Status Print(const LogLines& lines) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Finish() ABSL_LOCKS_EXCLUDED(mutex_);
  void Tick() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Ticked() ABSL_LOCKS_EXCLUDED(mutex_);
  void PrintWhatIsHeld() ABSL_LOCKS_EXCLUDED(mutex_);
  void LeaveTerminal();
  int Interrupted();
  absl::Status ReadFailed(const absl::Status& status);
  absl::StatusOr<int> PrintFailed(const absl::Status& status);
  std::string TailCommand(int64_t from) const;

  const CommonOptions common_;
  const FollowOptions options_;
  const OnInterrupt on_interrupt_;
  Interrupts* const interrupts_;

  FdWriter out_;
  FdWriter err_;
  Output output_;
  bool exports_ = false;
  bool nobody_reads_ = false;
  std::string run_;  // its whole id
  std::unique_ptr<LinePrinter> printer_;
  std::unique_ptr<LogReader> reader_;

  // Printing is of both threads, while there are two.
  absl::Mutex mutex_;
  absl::Status tick_ ABSL_GUARDED_BY(mutex_);  // an error of the other thread's printing
  bool is_finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_FOLLOWER_H_
