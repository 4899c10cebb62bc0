#ifndef JOBTAIL_CLIENT_CLI_FOLLOWER_H_
#define JOBTAIL_CLIENT_CLI_FOLLOWER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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
// printing thread.
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

  bool is_terminal() const { return err_.is_terminal(); }

 private:
  LogReaderOptions ReaderOptions();
  void OnSignal(int signal);
  void CancelRun();
  absl::StatusOr<int> PrintAll();
  absl::StatusOr<LogLines> Next();
  int Interrupted();
  absl::Status ReadFailed(const absl::Status& status) const;
  absl::StatusOr<int> PrintFailed(const absl::Status& status);
  std::string TailCommand(int64_t from) const;

  const CommonOptions common_;
  const FollowOptions options_;
  const OnInterrupt on_interrupt_;
  Interrupts* const interrupts_;

  FdWriter out_;
  FdWriter err_;
  Output output_;
  std::string run_;
  std::unique_ptr<LinePrinter> printer_;
  std::unique_ptr<LogReader> reader_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_FOLLOWER_H_
